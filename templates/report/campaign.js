// Chooses among the rows of the index by words and by column, and sorts them.
"use strict";
(() => {
  const form = document.getElementById("filters");
  const words = document.getElementById("filter-text");
  const choices = [...form.querySelectorAll("select")];
  const count = document.getElementById("count");
  const nothing = document.getElementById("nothing");
  const body = document.querySelector("#run-table tbody");
  const rows = [...body.rows];
  const heads = [...document.querySelectorAll(".sort")];
  const STATES = ["finished", "unfinished", "failed", "damaged", "no run"];

  // Words are looked for from their beginning: "finished" is not "unfinished".
  function makeSearch(word) {
    const plain = word.replace(/[\^$\\.*+?()[\]{}|/]/g, "\\$&");
    return new RegExp(`(^|[^\\p{L}\\p{N}])${plain}`, "iu");
  }

  function choose() {
    const wanted = words.value.split(/\s+/).filter(Boolean).map(makeSearch);
    const set = choices.filter((choice) => choice.value);
    let shown = 0;
    for (const row of rows) {
      const fits =
        wanted.every((word) => word.test(row.dataset.words)) &&
        set.every((choice) => row.dataset[choice.dataset.filter] === choice.value);
      row.hidden = !fits;
      shown += fits;
    }
    nothing.hidden = shown > 0;
    const all = shown === rows.length;
    count.textContent = all ? `All ${shown} rows` : `${shown} of ${rows.length} rows`;
  }

  function rank(row, key) {
    if (key === "state") return STATES.indexOf(row.dataset.state);
    if (key === "size" && row.dataset.edge) return Number(row.dataset.edge);
    return row.dataset[key];
  }

  function compare(one, other) {
    if (typeof one === "number" && typeof other === "number") return one - other;
    if (typeof one !== typeof other) return typeof one === "number" ? -1 : 1;
    if (!one || !other) return one ? -1 : other ? 1 : 0; // what is blank comes last
    return one.localeCompare(other, "en", { numeric: true });
  }

  function sort(button) {
    const head = button.closest("th");
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const each of heads) each.closest("th").setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = button.dataset.sort;
    const sorted = [...rows].sort((a, b) => compare(rank(a, key), rank(b, key)));
    body.append(...(down ? sorted.reverse() : sorted));
  }

  form.hidden = false;
  form.addEventListener("input", choose);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(choose));
  document.getElementById("show-all").addEventListener("click", () => {
    form.reset();
    words.focus();
  });
  for (const head of heads) head.addEventListener("click", () => sort(head));
  choose();
})();
