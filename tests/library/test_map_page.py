"""The page of a collection in a real browser: clicks, keys, small screens, dark mode, nothing fetched."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pytest

from geoclass.library.map import draw_map


@pytest.fixture
def page(make_song, tmp_path: Path) -> Path:
    for index in range(3):
        make_song(
            f"t/{index}.mp3", artist="<i>Neşet</i>", album="Gönül", title=f"Song {index}", country="TR", genre="Folk"
        )
    make_song("t/x.flac", artist="Zeki", country="TR", genre="Pop", sure=0.93)
    make_song("g/é #1.mp3", artist="Markos", country="GR", date="1935", genre="Rebetiko", genre_sure=0.96)
    make_song("m/a.mp3", artist="Freddie", country="MT")
    make_song("u/a.mp3", artist="Nobody " + "x" * 300)
    for index in range(130):
        make_song(f"many/{index}.mp3", artist=f"Artist {index}", country="US")
    draw_map([tmp_path / "music"], out=tmp_path / "library.html", title="Our <music>")
    return tmp_path / "library.html"


def use_screen(browser: Any, *, width: int = 1200, theme: str = "light") -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def find(browser: Any, selector: str) -> Any:
    return browser.find_element("css selector", selector)


def texts(browser: Any, selector: str) -> list[str]:
    return browser.execute_script(f"return [...document.querySelectorAll({selector!r})].map(e => e.textContent)")


def wait_for(browser: Any, selector: str, expected: list[str]) -> None:
    """Until elements have these texts: what is opened is filled a moment later."""
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(browser, 300).until(lambda _: texts(browser, selector) == expected)


def focused(browser: Any) -> str:
    return browser.execute_script("const e = document.activeElement; return e.dataset.code ?? e.id")


def test_nothing_is_fetched_and_nothing_logged(browser: Any, page: Path) -> None:
    use_screen(browser)
    browser.get_log("performance")
    browser.get_log("browser")
    browser.get(page.as_uri())
    fetched = re.findall(r'"url":"((?!data:)[^"]+)"', str(browser.get_log("performance")).replace("\\", ""))
    assert {url.split("#")[0] for url in fetched} == {page.as_uri()}
    assert browser.get_log("browser") == []
    assert browser.title == "Our <music>"
    assert find(browser, "h1").text == "Our <music>"


def test_a_click_on_a_country_lists_artists_albums_and_files(browser: Any, page: Path) -> None:
    browser.get(page.as_uri())
    find(browser, "#map .country[data-code=TR]").click()
    assert find(browser, "#artists-title").text == "Türkiye"
    summaries = browser.find_elements("css selector", "#artists summary")
    assert [summary.text for summary in summaries] == ["<i>Neşet</i> 3 files", "Zeki 1 file"]
    summaries[0].click()
    wait_for(browser, "#artists h4", ["Gönül"])
    wait_for(browser, "#artists details[open] li", ["Song 0", "Song 1", "Song 2"])
    summaries[1].click()
    wait_for(browser, "#artists details:last-child li", ["x.flac geoclass, 0.93"])
    for anchor in browser.find_elements("css selector", "#artists a"):
        assert Path(unquote(urlparse(anchor.get_attribute("href")).path)).is_file()
    find(browser, "#map .country[data-code=MT] circle").click()
    assert find(browser, "#artists-title").text == "Malta"


def test_links_of_odd_names_open_the_file(browser: Any, page: Path, tmp_path: Path) -> None:
    browser.get(page.as_uri())
    find(browser, "#countries button[data-code=GR]").click()
    wait_for(browser, "#artists a", ["é #1.mp3"])
    href = find(browser, "#artists a").get_attribute("href")  # a country with one artist is open at once
    assert unquote(urlparse(href).path) == str(tmp_path / "music" / "g" / "é #1.mp3")
    assert urlparse(href).fragment == ""


def test_it_works_without_a_mouse(browser: Any, page: Path) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    def press(*keys: str) -> None:
        ActionChains(browser).send_keys(*keys).perform()

    browser.get(page.as_uri())
    stops = browser.execute_script("return document.querySelectorAll('#map [tabindex=\"0\"]').length")
    assert stops == 1
    browser.execute_script("document.querySelector('[name=source]:checked').focus()")
    press(Keys.TAB)
    assert focused(browser) == "US"
    press(Keys.ARROW_RIGHT)
    first_right = focused(browser)
    assert first_right in {"MT", "GR", "TR"}
    press(*[Keys.ARROW_RIGHT] * 4)
    assert focused(browser) == "TR"
    press(Keys.ARROW_LEFT)
    assert focused(browser) == "GR"
    press(Keys.ENTER)
    assert find(browser, "#artists-title").text == "Greece"
    assert focused(browser) == "artists-title"
    press(Keys.ESCAPE)
    assert focused(browser) == "GR"
    press(Keys.TAB, Keys.SPACE)
    assert find(browser, "#artists-title").text == "United States", "the list of countries follows the map"


def test_colours_and_numbers_follow_the_choice(browser: Any, page: Path) -> None:
    browser.get(page.as_uri())

    def fill(code: str) -> str:
        shape = f"document.querySelector('#map .country[data-code={code}]')"
        return browser.execute_script(f"return getComputedStyle({shape}).fill")

    def counts() -> dict[str, str]:
        rows = browser.find_elements("css selector", "#countries button")
        return {row.get_attribute("data-code"): row.find_element("css selector", ".count").text for row in rows}

    assert counts() == {"US": "130", "TR": "4", "GR": "1", "MT": "1", "": "1"}
    assert len({fill("US"), fill("TR"), fill("MT")}) == 3
    assert fill("GR") == fill("MT")
    find(browser, "[name=measure][value=artists]").click()
    assert counts()["TR"] == "2"
    find(browser, "[name=source][value='2']").click()
    assert counts() == {"TR": "1", "US": "0", "GR": "0", "MT": "0", "": "1"}
    assert next(iter(counts())) == "TR", "sorted again"
    assert fill("US") == fill("GR") != fill("TR")


def test_long_lists_come_in_parts(browser: Any, page: Path) -> None:
    browser.get(page.as_uri())
    find(browser, "#countries button[data-code=US]").click()
    assert len(browser.find_elements("css selector", "#artists details")) == 100
    assert find(browser, "#more").text == "Show 30 more of 30"
    find(browser, "#more").click()
    assert len(set(texts(browser, "#artists summary"))) == 130
    assert not find(browser, "#more").is_displayed()


def test_what_is_unknown_is_listed(browser: Any, page: Path) -> None:
    browser.get(page.as_uri())
    find(browser, "#unknown button").click()
    assert find(browser, "#artists-title").text == "Country not known"
    assert find(browser, "#artists summary").text.startswith("Nobody xxx")
    assert texts(browser, "#genres .bars .name") == ["Folk", "Pop", "Rebetiko"]
    assert texts(browser, "#decades .bars .name") == ["1930s"]
    assert texts(browser, "#written tbody tr:nth-child(2) td") == ["0.90 to 0.95", "1", "0"]
    assert texts(browser, "#written tbody tr:nth-child(3) td") == ["0.95 to 0.98", "0", "1"]


@pytest.mark.parametrize("width", [400, 1200])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_the_screen_and_can_be_read(browser: Any, page: Path, width: int, theme: str) -> None:
    use_screen(browser, width=width, theme=theme)
    browser.get(page.as_uri())
    for code in ("TR", ""):
        browser.execute_script(f"document.querySelector('#countries button[data-code=\"{code}\"]').click()")
        browser.execute_script("for (const d of document.querySelectorAll('#artists details')) d.open = true")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    # WCAG 2.2: 4.5 to 1 for text
    contrast = """
      const light = (text) => {
        const canvas = new OffscreenCanvas(1, 1).getContext("2d");
        canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => v / 255)
          .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ground = light(getComputedStyle(document.body).backgroundColor);
      return [...document.querySelectorAll("h1, h2, small, .name, .count, .legend, a, legend, td, button")].map((e) => {
        const own = light(getComputedStyle(e).color);
        return (Math.max(own, ground) + 0.05) / (Math.min(own, ground) + 0.05);
      });
    """
    assert min(browser.execute_script(contrast)) >= 4.5
    use_screen(browser)
