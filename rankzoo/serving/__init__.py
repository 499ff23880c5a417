"""What follows the network: fusing scores, calibrating probabilities, arranging a list, blending, weighing responses,
checking what was found."""
from rankzoo.serving.arrange import Arrange
from rankzoo.serving.blend import Blend
from rankzoo.serving.calibrate import Calibrate
from rankzoo.serving.fuse import Fuse
from rankzoo.serving.terms import Terms
from rankzoo.serving.utility import Utility

Serving = Fuse | Arrange | Blend | Calibrate | Terms | Utility
