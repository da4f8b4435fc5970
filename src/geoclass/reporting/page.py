"""`index.html` of a report: the answer first, then where it comes from, then what went wrong."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geoclass import __version__
from geoclass.evaluation.predict import Answers
from geoclass.metrics.compute import confusion
from geoclass.metrics.formulas import PARTS
from geoclass.metrics.geography import display_order, distance_km, regions
from geoclass.plotting import style
from geoclass.reporting import plots
from geoclass.reporting.html import Column, Section, escape, figure_part, table, tiles, write_document

if TYPE_CHECKING:
    from geoclass.evaluation.report import Report, TaskReport

WORST = 40  # mistakes listed


def write_page(report: "TaskReport", folder: Path, *, tsne_sample: int = 1500) -> Path:
    """Draw the pictures into `folder` and write index.html with all of them."""
    with style():
        sections = list(_sections(report, folder, tsne_sample))
    metrics = report.metrics
    title = f"{report.task}: {metrics['accuracy']:.3f} on {metrics['n_tracks']:,} tracks"
    return write_document(
        folder / "index.html", title=title, head=_head(report), sections=sections, foot=_foot(metrics)
    )


def write_index(report: "Report", folder: Path) -> Path:
    """Write index.html for a model with several tasks: a link to the page of each."""
    links = "".join(
        f'<li><a href="{task}/index.html">{escape(task)}: {one.metrics["accuracy"]:.3f} on '
        f"{one.metrics['n_tracks']:,} tracks ({escape(one.metrics['protocol'])})</a></li>"
        for task, one in report.tasks.items()
    )
    first = next(iter(report.tasks.values()))
    head = f'<h1>{" and ".join(report.tasks)}</h1><p class="about">model {escape(first.model)}</p><ul>{links}</ul>'
    foot = f"<p>geoclass {__version__}</p>"
    return write_document(folder / "index.html", title=first.model, head=head, sections=[], foot=foot)


def _sections(report: "TaskReport", folder: Path, tsne_sample: int) -> Iterator[Section]:
    scored, metrics = report.answers.scored, report.metrics
    matrix = confusion(scored)
    yield Section("scores", "Scores", figure_part(
        plots.plot_scores(metrics), folder, name="scores", description=_spoken(metrics),
        caption="Bars are 95 % intervals from resampling artists. "
        + ("Chance is the mAP of a random order" if scored.kind == "multi" else "Chance guesses any class present")
        + f"; the majority guess always says {metrics['majority_label']}.",
    ))  # fmt: skip
    if scored.task == "country":
        yield Section("map", "Where it goes wrong", figure_part(
            plots.plot_map(scored, matrix), folder, name="map", wide=True,
            description="World map: a dot for each true country, great circles to the countries it is taken for.",
            caption="Dots: true countries, larger with more tracks, coloured by recall. Lines join the capital of the "
            "true country to that of the answer, thicker for more tracks.",
        ) + _distance_text(metrics) + _longest(scored, matrix))  # fmt: skip
    yield Section("confusion", "Confusion matrix", figure_part(
        plots.plot_confusion(scored, matrix), folder, name="confusion", wide=True,
        description="Confusion matrix; the table of classes below holds its main numbers.",
        caption="Rows are truth, columns the best answer; counts are in confusion.csv."
        + (" Countries stand by UN M49 region and sub-region." if scored.task == "country" else ""),
    ))  # fmt: skip
    yield Section("classes", "Classes", _classes(report))
    if scored.kind == "multi":
        yield Section("precision-recall", "Precision and recall by class", figure_part(
            plots.plot_precision_recall(scored, metrics), folder, name="precision-recall", wide=True,
            description="Precision against recall for each of the most frequent labels.",
            caption="The most frequent labels; dotted: share of tracks with the label, what a random order reaches.",
        ))  # fmt: skip
    yield Section("calibration", "Does it know how sure it is?", figure_part(
        plots.plot_reliability(metrics), folder, name="reliability",
        description=f"Reliability diagram; expected calibration error {metrics['ece']:.3f}.",
        caption="On the diagonal an answer given with 70 % confidence is right 7 times of 10. Below: how many answers.",
    ))  # fmt: skip
    yield Section("coverage", "How much can be written", figure_part(
        plots.plot_coverage(scored), folder, name="coverage",
        description=_coverage_text(metrics),
        caption=_coverage_text(metrics),
    ))  # fmt: skip
    vectors = report.answers.embeddings
    placed = plots.embed_in_plane(vectors, sample=tsne_sample) if vectors is not None and tsne_sample else None
    if placed is not None:
        yield Section("embedding", "What the network finds alike", figure_part(
            plots.plot_embedding(scored, *placed), folder, name="embedding", wide=scored.task == "country",
            description="Two-dimensional map of the tracks by the network's penultimate layer.",
            caption=f"t-SNE of the penultimate layer, {len(placed[1]):,} of {scored.n_tracks:,} tracks. "
            "Only neighbourhoods mean something; distances and sizes of clusters do not.",
        ))  # fmt: skip
    yield Section("mistakes", "The worst mistakes", _mistakes(report.answers))


def _head(report: "TaskReport") -> str:
    metrics = report.metrics
    about = [f"model {report.model}"]
    if "dataset" in metrics:
        about += [f"data set {metrics['dataset']['name']}", f"split {metrics['split']} by {metrics['group']}"]
    about.append(
        f"{metrics['n_tracks']:,} tracks by {metrics['n_artists']:,} artists in {metrics['n_segments']:,} segments"
    )
    leaky = metrics["protocol"] == "leaky"
    badge = f'<span class="badge {"leaky" if leaky else "honest"}">{escape(metrics["protocol"])}</span>'
    shared = "recordings" if metrics["group"] == "segment" else "artists"
    warning = (
        f'<p class="warning"><strong>leaky:</strong> these splits share {shared}. The scores say how well the model '
        f"knows {shared} that it has heard, not how well it does on others.</p>"
    )
    warning = warning if leaky else ""
    return (
        f"<h1>How well does it hear the {escape(report.task)}? {badge}</h1>"
        f'<p class="about">{escape(" · ".join(about))}</p>{warning}{tiles(_headline(metrics))}{_omissions(metrics)}'
    )


def _headline(metrics: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    def interval(name: str) -> str:
        bounds = metrics["intervals"].get(name)
        return f"{bounds[0]:.3f} to {bounds[1]:.3f}" if bounds else ""

    main = "mAP" if metrics["kind"] == "multi" else "accuracy"
    entries = [
        (main, _text(metrics[main]), interval(main)),
        ("chance", _text(metrics["chance"]), f"{metrics['n_classes']} classes"),
        ("majority guess", _text(metrics["majority_baseline"]), f"always {metrics['majority_label']}"),
        ("balanced accuracy", _text(metrics["balanced_accuracy"]), interval("balanced_accuracy")),
        ("top 3", _text(metrics["top3_accuracy"]), interval("top3_accuracy")),
    ]
    if "median_distance_km" in metrics:
        entries.append(
            ("mean error", f"{metrics['mean_distance_km']:,.0f} km", f"median {metrics['median_distance_km']:,.0f} km")
        )
    return entries


def _omissions(metrics: Mapping[str, Any]) -> str:
    omitted, parts = metrics["omitted"], []
    if omitted.get("tracks"):
        unknown = ", ".join(omitted["labels_unknown_to_the_model"])
        said = f"the model does not know their label ({unknown})"
        if "reasons" in omitted:
            said = ", ".join(f"{reason} ({count:,})" for reason, count in omitted["reasons"].items())
        parts.append(f"{omitted['tracks']:,} tracks are left out: {said}.")
    if omitted.get("labels_never_in_the_data"):
        never = omitted["labels_never_in_the_data"]
        shown = ", ".join(never[:12]) + (", …" if len(never) > 12 else "")
        parts.append(f"Labels that the model knows and this data set never has: {len(never)} ({shown}).")
    return "".join(f"<p>{escape(part)}</p>" for part in parts)


def _spoken(metrics: Mapping[str, Any]) -> str:
    names = [(text, metrics.get(name)) for name, text in PARTS.items()]
    return "Scores: " + ", ".join(f"{text} {value:.3f}" for text, value in names if value is not None)


def _distance_text(metrics: Mapping[str, Any]) -> str:
    if "mean_distance_km" not in metrics:
        return ""
    return (
        f"<p>From the true capital to the answered one it is {metrics['mean_distance_km']:,.0f} km on average (median "
        f"{metrics['median_distance_km']:,.0f} km); {metrics['region_accuracy']:.0%} of the answers lie in the right "
        f"region, "
        f"{metrics['subregion_accuracy']:.0%} in the right sub-region.</p>"
    )


def _longest(scored: Any, matrix: "np.ndarray[Any, Any]", *, rows: int = 12) -> str:
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    cells = [
        divmod(int(cell), len(wrong))
        for cell in np.argsort(-wrong, axis=None, kind="stable")[:rows]
        if wrong.flat[cell]
    ]
    if not cells:
        return ""
    lines = [
        (_named("country", scored.labels[true]), _named("country", scored.labels[answer]), int(wrong[true, answer]),
         distance_km(scored.labels[true], scored.labels[answer]))
        for true, answer in cells
    ]  # fmt: skip
    columns = [Column("truth"), Column("answer"), Column("tracks", "number"), Column("km", "number", digits=0)]
    return table(columns, lines, label="most frequent mistakes", sortable=True, caption="The most frequent mistakes")


def _classes(report: "TaskReport") -> str:
    scored, per_class = report.answers.scored, report.metrics["per_class"]
    columns = [Column(scored.task)]
    if scored.task == "country":
        columns.append(Column("region"))
    columns += [
        Column("tracks", "number"),
        Column("precision", "number"),
        Column("recall", "number"),
        Column("F1", "share"),
    ]
    if scored.kind == "multi":
        columns += [Column("AP", "number"), Column("ROC-AUC", "number")]
    rows, silent = [], 0
    for index in display_order(scored.task, scored.labels):
        label = scored.labels[index]
        numbers = per_class[label]
        if not numbers["tracks"] and not numbers["predicted"]:
            silent += 1
            continue
        row: list[Any] = [_named(scored.task, label)]
        if scored.task == "country":
            row.append(regions([label])[0])
        row += [numbers["tracks"], numbers["precision"], numbers["recall"], numbers["f1"]]
        if scored.kind == "multi":
            row += [numbers["average_precision"], numbers["roc_auc"]]
        rows.append(row)
    note = f"<p>{silent} further labels are neither true nor predicted here.</p>" if silent else ""
    return table(columns, rows, label="scores by class", sortable=True) + note


def _coverage_text(metrics: Mapping[str, Any]) -> str:
    given = metrics["abstention"]
    if given["threshold"] is None:
        return "The model has no threshold of its own."
    if given["precision"] is None:
        return f"At its own threshold of {given['threshold']:.2f} the model writes nothing here."
    return (
        f"At its own threshold of {given['threshold']:.2f} the model writes {given['coverage']:.0%} of the tracks "
        f"and is right in {given['precision']:.0%} of what it writes."
    )


def _mistakes(answers: Answers) -> str:
    scored = answers.scored
    wrong = np.flatnonzero(~scored.top_is_right)
    if not len(wrong):
        return "<p>There are none: every best answer is right.</p>"
    worst = wrong[np.argsort(-scored.confidence[wrong], kind="stable")][:WORST]
    rows = []
    for track in worst:
        truth = [scored.labels[index] for index in np.flatnonzero(scored.targets[track])]
        row: list[Any] = [
            ", ".join(truth) or "none",
            scored.labels[scored.predicted[track]],
            float(scored.confidence[track]),
            int(scored.rank[track]) + 1,
        ]
        if scored.task == "country":
            row.append(distance_km(truth[0], row[1]))
        row.append(answers.tracks["path"][track] or scored.track_ids[track])
        rows.append(row)
    columns = [Column("truth"), Column("answer"), Column("confidence", "number"), Column("rank of truth", "number")]
    if scored.task == "country":
        columns.append(Column("km", "number", digits=0))
    columns.append(Column("path", "path"))
    said = f"The {len(worst)} surest of {len(wrong):,} wrong answers; all tracks are in predictions.csv."
    return f"<p>{said}</p>" + table(columns, rows, label="worst mistakes", sortable=True)


def _foot(metrics: Mapping[str, Any]) -> str:
    drawn = metrics["bootstrap"]
    parts = [
        f"geoclass {__version__}",
        f"intervals: {drawn['level']:.0%} percentile bootstrap over {drawn['unit']}s, {drawn['resamples']} resamples, "
        f"seed {drawn['seed']}",
    ]
    if "dataset" in metrics:
        parts.append(f"data set fingerprint {metrics['dataset']['fingerprint'][:16]}")
    return f"<p>{escape(' · '.join(parts))}. All numbers are in metrics.json.</p>"


def _named(task: str, label: str) -> str:
    if task != "country":
        return label
    from geoclass.errors import GeoError
    from geoclass.geo.countries import country_name

    try:
        return f"{label} {country_name(label)}"
    except GeoError:
        return label


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
