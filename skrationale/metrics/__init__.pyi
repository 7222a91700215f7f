from ._curves import FaithfulnessCurve, deletion_curve, insertion_curve
from ._faithfulness import comprehensiveness, sufficiency
from ._fidelity import explanation_fidelity, prediction_fidelity
from ._infidelity import infidelity
from ._rationales import rationale_agreement, rationale_erasure
from ._scorers import explanation_scorer
from ._sparsity import entropy, sparsity
from ._stability import noise_stability, seed_stability, top_k_agreement
from ._truth import selection_rates

__all__ = [
    "FaithfulnessCurve",
    "comprehensiveness",
    "deletion_curve",
    "entropy",
    "explanation_fidelity",
    "explanation_scorer",
    "infidelity",
    "insertion_curve",
    "noise_stability",
    "prediction_fidelity",
    "rationale_agreement",
    "rationale_erasure",
    "seed_stability",
    "selection_rates",
    "sparsity",
    "sufficiency",
    "top_k_agreement",
]
