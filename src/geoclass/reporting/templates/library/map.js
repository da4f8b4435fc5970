"use strict";
{
  const data = JSON.parse(document.getElementById("data").textContent);
  const map = document.getElementById("map");
  const shapes = [...map.querySelectorAll(".country")];
  const rows = [...document.querySelectorAll("#countries button")];
  const panel = document.getElementById("artists");
  const list = document.getElementById("artists-list");
  const more = document.getElementById("more");
  const PAGE = 100; // artists shown at once: a country may have ten thousand
  const STEPS = 5;
  let cameFrom = null;

  const text = (tag, content) => Object.assign(document.createElement(tag), { textContent: content });
  const small = (content) => text("small", content);
  const format = (value) => value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 });
  const count = (n, noun) => `${format(n)} ${noun}${n === 1 ? "" : "s"}`;

  // ---- colours: logarithmic steps, since one country often has more than all others together ------------------

  function colour() {
    const measure = document.querySelector("[name=measure]:checked").value;
    const source = Number(document.querySelector("[name=source]:checked").value);
    const value = (code) => data.amounts[code]?.[measure][source] ?? 0;
    const most = Math.max(...Object.keys(data.amounts).map(value), measure === "hours" ? 0.1 : 1);
    const least = measure === "hours" ? Math.min(0.1, most / 2) : 1;
    const edge = (step) => least * (most / least) ** (step / STEPS);
    const step = (amount) => {
      if (amount <= 0) return 0;
      return Math.min(STEPS, 1 + Math.max(0, Math.floor((STEPS * Math.log(amount / least)) / Math.log(Math.max(most / least, 1.0001)))));
    };
    const used = new Set();
    for (const shape of shapes) {
      const amount = value(shape.dataset.code);
      used.add(step(amount));
      shape.setAttribute("class", `country q${step(amount)}${shape.classList.contains("chosen") ? " chosen" : ""}`);
      const label = `${data.names[shape.dataset.code]}: ${measure === "hours" ? `${format(amount)} hours` : count(amount, measure.slice(0, -1))}`;
      shape.setAttribute("aria-label", label);
      shape.querySelector("title").textContent = label;
    }
    for (const row of rows) {
      if (row.dataset.code === "") continue;
      const [, people, ours] = data.amounts[row.dataset.code][measure];
      const [a, b] = [source === 2 ? 0 : people, source === 1 ? 0 : ours];
      row.querySelector(".people").style.width = `${(100 * a) / most}%`;
      row.querySelector(".ours").style.width = `${(100 * b) / most}%`;
      row.querySelector(".count").textContent = format(value(row.dataset.code));
    }
    const order = (row) => (row.dataset.code === "" ? -1 : value(row.dataset.code));
    document.getElementById("countries").append(...[...rows].sort((a, b) => order(b) - order(a)).map((row) => row.parentNode));
    const legend = [...used].filter(Boolean).sort().map((n) => {
      const item = document.createElement("span");
      const round = (x) => (measure === "hours" ? format(x) : format(Math.ceil(x - 1e-9)));
      item.innerHTML = `<svg viewBox="0 0 1 1"><rect width="1" height="1" class="q${n}"/></svg>`;
      item.append(n === STEPS ? `${round(edge(n - 1))} to ${format(most)}` : `from ${round(edge(n - 1))}`);
      return item;
    });
    document.getElementById("legend").replaceChildren(text("span", `${measure}:`), ...legend);
  }
  for (const input of document.querySelectorAll(".controls input")) input.addEventListener("change", colour);

  // ---- the artists of a country -------------------------------------------------------------------------------

  function link(song) {
    const [title, folder, name, , escaped] = song;
    const anchor = text("a", title || name);
    anchor.href = data.folders[folder] + (escaped ?? encodeURIComponent(name));
    return anchor;
  }

  function fill(details, albums) {
    for (const [name, year, songs] of albums) {
      const head = text("h4", name || "no album");
      if (year) head.append(" ", small(year));
      const items = songs.map((song) => {
        const item = document.createElement("li");
        item.append(link(song));
        if (song[3]) item.append(" ", small(`geoclass, ${song[3].toFixed(2)}`));
        return item;
      });
      const songList = document.createElement("ul");
      songList.append(...items);
      details.append(head, songList);
    }
  }

  function artist([name, albums]) {
    const details = document.createElement("details");
    const files = albums.reduce((sum, album) => sum + album[2].length, 0);
    const summary = text("summary", name || "no artist");
    summary.append(" ", small(count(files, "file")));
    details.append(summary);
    details.addEventListener("toggle", () => details.childElementCount === 1 && fill(details, albums));
    return details;
  }

  function show(code, from) {
    const artists = data.countries[code] ?? [];
    cameFrom = from;
    document.getElementById("artists-title").textContent = code ? data.names[code] : "Country not known";
    const named = artists.filter(([name]) => name).length;
    document.getElementById("artists-about").textContent = count(named, "artist");
    list.replaceChildren();
    const next = () => {
      const shown = list.childElementCount;
      list.append(...artists.slice(shown, shown + PAGE).map(artist));
      const left = artists.length - list.childElementCount;
      more.hidden = left <= 0;
      more.textContent = `Show ${format(Math.min(left, PAGE))} more of ${format(left)}`;
      if (shown) list.children[shown]?.querySelector("summary").focus();
    };
    more.onclick = next;
    next();
    if (artists.length === 1) list.firstChild.open = true;
    for (const shape of shapes) shape.classList.toggle("chosen", shape.dataset.code === code);
    for (const row of rows) {
      if (row.dataset.code === code) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
    panel.hidden = false;
    document.getElementById("artists-title").focus();
    panel.scrollIntoView({ block: "nearest" });
  }

  const goBack = () => (cameFrom ?? rows[0])?.focus();
  document.getElementById("back").addEventListener("click", goBack);
  panel.addEventListener("keydown", (event) => event.key === "Escape" && goBack());
  for (const button of document.querySelectorAll("button[data-code]")) {
    button.addEventListener("click", () => show(button.dataset.code, button));
  }

  // ---- the map: one stop of the tab key, arrow keys inside it ----------------------------------------------------

  const focusable = (shape) => {
    for (const other of shapes) other.setAttribute("tabindex", other === shape ? "0" : "-1");
  };
  const place = (shape) => [Number(shape.dataset.x), Number(shape.dataset.y)];
  function neighbour(shape, dx, dy) {
    const [x, y] = place(shape);
    let best = null;
    let least = Infinity;
    for (const other of shapes) {
      const [u, v] = place(other);
      const along = (u - x) * dx + (v - y) * dy;
      const across = Math.abs((u - x) * dy) + Math.abs((v - y) * dx);
      if (other !== shape && along > 0 && along + 2 * across < least) {
        least = along + 2 * across;
        best = other;
      }
    }
    return best;
  }
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  for (const shape of shapes) {
    shape.addEventListener("click", () => show(shape.dataset.code, shape));
    shape.addEventListener("focus", () => focusable(shape));
    shape.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        show(shape.dataset.code, shape);
      } else if (event.key in ARROWS) {
        event.preventDefault();
        neighbour(shape, ...ARROWS[event.key])?.focus();
      }
    });
  }
  if (shapes.length) focusable(shapes.find((shape) => shape.dataset.code === rows[0]?.dataset.code) ?? shapes[0]);
  colour();
}
