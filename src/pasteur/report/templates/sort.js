// Makes tables sortable. Without it a page is whole: tables stand in the order in which they were written, worst first.
(function () {
  "use strict";
  function key(row, column) {
    var cell = row.cells[column];
    var text = cell ? (cell.getAttribute("data-sort") || cell.textContent).trim() : "";
    var number = parseFloat(text.replace(/\u2212/g, "-").replace(/,/g, ""));
    return { text: text, number: /^[-+\u2212]?[.\d]/.test(text) ? number : NaN };
  }
  function sort(table, column, head) {
    var down = head.getAttribute("aria-sort") === "ascending";
    var body = table.tBodies[0];
    var rows = Array.prototype.map.call(body.rows, function (row, place) {
      return { row: row, key: key(row, column), place: place };
    });
    rows.sort(function (a, b) {
      var x = a.key.number, y = b.key.number, order;
      if (isNaN(x) !== isNaN(y)) { return isNaN(x) ? 1 : -1; }
      order = isNaN(x) ? a.key.text.localeCompare(b.key.text) : x - y;
      return (down ? -order : order) || a.place - b.place;
    });
    rows.forEach(function (entry) { body.appendChild(entry.row); });
    Array.prototype.forEach.call(table.tHead.querySelectorAll("th"), function (other) { other.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
  }
  Array.prototype.forEach.call(document.querySelectorAll("table.sortable"), function (table) {
    var last = table.tHead.rows[table.tHead.rows.length - 1];
    Array.prototype.forEach.call(last.cells, function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      while (head.firstChild) { button.appendChild(head.firstChild); }
      head.appendChild(button);
      button.addEventListener("click", function () { sort(table, column, head); });
    });
  });
  window.addEventListener("beforeprint", function () {
    Array.prototype.forEach.call(document.querySelectorAll("details"), function (box) { box.open = true; });
  });
})();
