"""What follows the network: fusing scores, calibrating probabilities, arranging a list, blending, weighing responses."""
from rankzoo.serving.arrange import Arrange
from rankzoo.serving.blend import Blend
from rankzoo.serving.calibrate import Calibrate
from rankzoo.serving.fuse import Fuse
from rankzoo.serving.utility import Utility

Serving = Fuse | Arrange | Blend | Calibrate | Utility
