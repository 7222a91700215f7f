"""Audits of models whose fit takes long."""

from skrationale import RationaleClassifier
from skrationale.datasets import make_syn


def test_fit_that_leaks_is_found():
    """Drawn gates and zeros in hidden cells: columns that have no part in Syn4 are shown to say the label."""
    X, y, _ = make_syn(4, 10_000, random_state=1)
    model = RationaleClassifier(preset="paper", max_features=0.36, random_state=0).fit(X, y)
    X, y, _ = make_syn(4, 5000, random_state=100)
    report = model.audit(X, y, n_refits=0, random_state=0)
    assert report.own_score > 0.7
    assert not report.honest
    assert report.leak > 0.03
    assert report.mask_only_score > 0.6
