"""How much memory a recipe takes, from its model's configuration alone, and whether it fits.

:func:`estimate` builds the model without weights, with the kind's own loss and the recipe's own
adapter, quantization and precision, and runs one training step and one batch of scoring on tensors
without content (see ``live_bytes.py``). :func:`require` refuses a run that does not fit and names
the smallest change with which it would.
"""

from toolkit.preparation.memory.estimation import Estimate, Shape, estimate
from toolkit.preparation.memory.feasibility import Fit, available, fit, require

__all__ = ["Estimate", "Fit", "Shape", "available", "estimate", "fit", "require"]
