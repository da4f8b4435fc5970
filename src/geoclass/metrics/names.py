"""Names and order of the metrics in tables and figures."""

RATE_METRICS = {  # between 0 and 1, higher is better
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "mAP": "mAP",
    "macro_roc_auc": "macro ROC-AUC",
    "top3_accuracy": "top-3 accuracy",
    "top5_accuracy": "top-5 accuracy",
    "region_accuracy": "region accuracy",
    "subregion_accuracy": "sub-region accuracy",
}
METRIC_NAMES = RATE_METRICS | {
    "mean_distance_km": "mean distance (km)",
    "median_distance_km": "median distance (km)",
    "segment_accuracy": "segment-level accuracy",
    "ece": "expected calibration error",
    "chance": "chance level",
    "majority_baseline": "majority-class baseline",
}
COMPARED_METRICS = (
    "accuracy", "balanced_accuracy", "macro_f1", "top3_accuracy", "top5_accuracy", "mAP", "macro_roc_auc",
    "region_accuracy", "mean_distance_km",
)  # fmt: skip


def digits_of(metric: str) -> int:
    """Decimal places with which a metric is printed: none for kilometres, three for rates."""
    return 0 if metric.endswith("_km") else 3
