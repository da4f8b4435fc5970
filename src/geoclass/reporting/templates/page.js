"use strict";
// Tables whose head has buttons sort by a click or by the keyboard; cells may give their value in data-value.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    const table = head.closest("table");
    const column = [...head.parentNode.children].indexOf(head);
    const number = head.classList.contains("number");
    const now = head.getAttribute("aria-sort");
    const down = now ? now === "ascending" : number;
    for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => {
      const cell = row.children[column];
      const text = cell.dataset.value ?? cell.textContent;
      return number ? (text === "" ? -Infinity : Number(text)) : text;
    };
    const compare = (a, b) => (number ? value(a) - value(b) : value(a).localeCompare(value(b)));
    const body = table.tBodies[0];
    body.append(...[...body.rows].sort((a, b) => (down ? -compare(a, b) : compare(a, b))));
  });
}
