from ._dataset import explain_dataset
from ._explainer import BatchExplainer
from ._jobs import Job, explain_jobs, run
from ._summary import DatasetSummary

__all__ = ["BatchExplainer", "DatasetSummary", "Job", "explain_dataset", "explain_jobs", "run"]
