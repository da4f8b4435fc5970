"""The page in a real browser: nothing fetched, nothing logged, tables that sort, in light, dark and print."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prediction_cases import report_of

from geoclass.evaluation.compare import compare
from geoclass.metrics.predictions import TaskPredictions

COUNTRIES = ("US", "GB", "FR", "TR", "IN", "JP", "NG", "BR", "NZ", "FJ")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    generator = np.random.default_rng(1)
    truth = generator.integers(0, len(COUNTRIES), 80)
    logits = generator.normal(size=(80, len(COUNTRIES))) + 2 * np.eye(len(COUNTRIES))[truth]
    predictions = TaskPredictions(
        task="country", kind="single", labels=COUNTRIES, track_ids=tuple(map(str, range(80))),
        artist_ids=tuple(str(index // 2) for index in range(80)), truth=truth,
        probabilities=(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype(np.float32), threshold=0.4,
    )  # fmt: skip
    report = report_of(predictions, path="<b>&\"'/{}.mp3", embedded=True)
    return report.write(tmp_path_factory.mktemp("page")) / "index.html"


def column(browser: Any, section: str, index: int) -> list[str]:
    rows = f"#{section} tbody tr td:nth-child({index + 1})"
    return browser.execute_script(
        f"return [...document.querySelectorAll('{rows}')].map(c => c.dataset.value ?? c.textContent)"
    )


def test_nothing_is_fetched_and_nothing_logged(browser: Any, page: Path) -> None:
    browser.get_log("performance")
    browser.get(page.as_uri())
    fetched = re.findall(r'"url":"((?!data:)[^"]+)"', str(browser.get_log("performance")).replace("\\", ""))
    assert {url.split("#")[0] for url in fetched} == {page.as_uri()}
    assert (
        browser.execute_script(
            "return performance.getEntriesByType('resource').filter(e => !e.name.startsWith('data:')).length"
        )
        == 0
    )
    assert browser.get_log("browser") == []


def test_the_table_of_classes_sorts_by_click_and_by_keyboard(browser: Any, page: Path) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    browser.get(page.as_uri())
    heads = browser.find_elements(By.CSS_SELECTOR, "#classes th")
    titles = [head.text.split(" ")[0] for head in heads]
    at = titles.index("F1")
    before = column(browser, "classes", at)
    heads[at].find_element(By.TAG_NAME, "button").click()
    down = [float(value) for value in column(browser, "classes", at)]
    assert down == sorted(map(float, before), reverse=True)
    assert heads[at].get_attribute("aria-sort") == "descending"
    heads[at].find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    assert [float(value) for value in column(browser, "classes", at)] == sorted(map(float, before))
    heads[0].find_element(By.TAG_NAME, "button").send_keys(Keys.SPACE)
    names = column(browser, "classes", 0)
    assert names == sorted(names)
    assert heads[at].get_attribute("aria-sort") is None


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_the_screen_and_can_be_read(browser: Any, page: Path, width: int, theme: str) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
    browser.get(page.as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    colours = browser.execute_script(
        "const s = getComputedStyle(document.body);"
        "const t = getComputedStyle(document.querySelector('#scores svg text'));"
        "return [s.backgroundColor, s.color, t.fill, getComputedStyle(document.querySelector('figcaption')).color]"
    )
    ground, *texts = ([int(part) for part in re.findall(r"\d+", colour)[:3]] for colour in colours)
    assert (sum(ground) > 600) == (theme == "light")
    for text in texts:
        assert contrast(ground, text) >= 4.5  # WCAG 2.2, 1.4.3


def contrast(a: list[int], b: list[int]) -> float:
    def luminance(colour: list[int]) -> float:
        parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_it_prints_dark_on_white_without_the_navigation(browser: Any, page: Path) -> None:
    scheme = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": scheme})
    browser.get(page.as_uri())
    said = "return [getComputedStyle(document.querySelector('nav')).display, getComputedStyle(document.body).color]"
    assert browser.execute_script(said) == ["none", "rgb(26, 28, 30)"]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_every_part_is_there_and_has_a_name(browser: Any, page: Path) -> None:
    browser.get(page.as_uri())
    sections = browser.execute_script("return [...document.querySelectorAll('section')].map(s => s.id)")
    assert sections == ["scores", "map", "confusion", "classes", "calibration", "coverage", "embedding", "mistakes"]
    links = browser.execute_script("return [...document.querySelectorAll('nav a')].map(a => a.hash.slice(1))")
    assert links == sections
    unnamed = "return [...document.querySelectorAll('svg')].filter(s => !s.closest('[role=img][aria-label]')).length"
    assert browser.execute_script(unnamed) == 0
    doubled = "const i = [...document.querySelectorAll('[id]')].map(e => e.id); return i.length - new Set(i).size"
    assert browser.execute_script(doubled) == 0


def test_names_of_files_cannot_break_the_page(browser: Any, page: Path) -> None:
    browser.get(page.as_uri())
    assert browser.execute_script("return document.querySelectorAll('td b').length") == 0
    path = browser.execute_script("return document.querySelector('#mistakes td.path').textContent")
    assert re.fullmatch(r"<b>&\"'/\d+\.mp3", path)


def test_a_comparison_links_to_each_model(
    browser: Any, make_predictions: Callable[..., TaskPredictions], tmp_path: Path
) -> None:
    reports = [
        report_of(make_predictions(n_tracks=60, skill=skill, model_seed=k)) for k, skill in enumerate((1.0, 3.0))
    ]
    folder = compare(reports, ["weak/1", "strong"], bootstrap=100).write(tmp_path / "both")
    browser.get_log("browser")
    browser.get((folder / "index.html").as_uri())
    assert browser.get_log("browser") == []
    links = browser.execute_script("return [...document.querySelectorAll('header li a')].map(a => a.href)")
    ours = [link for link in links if link.endswith("/index.html")]
    assert len(ours) == 2
    for link in ours:
        browser.get(link)
        assert "classification report" in browser.find_element("tag name", "h1").text


def test_the_page_without_a_browser(make_predictions: Callable[..., TaskPredictions], tmp_path: Path) -> None:
    """What a machine without Chromium can check: no address of another place, and the warning of a leaky split."""
    text = (report_of(make_predictions(n_tracks=40), protocol="leaky").write(tmp_path) / "index.html").read_text()
    assert re.findall(r'(?:src|href)="(?!#|data:)', text) == []
    addresses = set(re.findall(r"https?://[^\"'\s<)]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "default-src 'none'" in text
    assert "<strong>Leaky:</strong>" in text
