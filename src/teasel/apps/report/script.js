"use strict";
for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.from);
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = "Selected; now press Ctrl+C";
    }
  });
}
for (const header of document.querySelectorAll("table.sortable thead th")) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  header.append(button);
  button.addEventListener("click", () => {
    const down = header.getAttribute("aria-sort") === "ascending";
    const table = header.closest("table");
    for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows];
    const value = (row) => row.cells[header.cellIndex].dataset.value ?? row.cells[header.cellIndex].textContent;
    const compare = (a, b) => value(a).localeCompare(value(b), undefined, { numeric: true });
    const numbers = rows.every((row) => !Number.isNaN(Number(value(row))));
    rows.sort(numbers ? (a, b) => value(a) - value(b) : compare);
    table.tBodies[0].append(...(down ? rows.reverse() : rows));
  });
}
const opened = [];
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not([open])")) {
    details.open = true;
    opened.push(details);
  }
});
addEventListener("afterprint", () => opened.splice(0).forEach((details) => (details.open = false)));
