"""Simulated cells: images in many styles whose labels are right by construction.

`simulate` gives one scene: whole cells and their nuclei grown from points (`layouts`, `shapes`, `anatomy`), seen in
phase contrast, interference contrast, bright field (`unstained`) or fluorescence (`stained`), through a lens and a
camera (`camera`). `styles` lists the kinds. The shipped model `cells` is trained on them beside real images, and
`teasel adapt` replays them, so that a model that learns new images does not forget the others. `simulate_stack` gives
stacks of nuclei (`stacks`), to train models of stacks without annotating one. Numpy and scipy only.
"""

from teasel.training.simulation.scene import SimulatedScene, simulate, styles
from teasel.training.simulation.stacks import SimulatedStack, simulate_stack

__all__ = ["SimulatedScene", "SimulatedStack", "simulate", "simulate_stack", "styles"]
