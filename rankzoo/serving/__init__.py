"""What follows the network: fusing scores, arranging a list, blending, weighing responses, checking what was found,
holding an auction by calibrated probabilities, learning on from what was served."""
from rankzoo.serving.arrange import Arrange
from rankzoo.serving.auction import Auction
from rankzoo.serving.blend import Blend
from rankzoo.serving.fuse import Fuse
from rankzoo.serving.online import Online
from rankzoo.serving.terms import Terms
from rankzoo.serving.utility import Utility

Serving = Fuse | Arrange | Auction | Blend | Terms | Utility | Online
