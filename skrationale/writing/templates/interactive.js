(function () {
  "use strict";
  var page = document.querySelector("main.skr");
  var plain = function (node) { return node.textContent.trim(); };
  var number = function (cell) {
    var exact = cell.querySelector("[title]");
    var text = exact && /^[-−+\d.e]+$/.test(exact.title) ? exact.title : plain(cell).split("±")[0];
    text = text.replace(/−/g, "-").replace(/[,%+\s]/g, "");
    return text !== "" && isFinite(text) ? Number(text) : NaN;
  };

  // a click on a head sorts its table, a second one the other way round
  var sort = function (table, head, place) {
    var body = table.tBodies[0], rows = Array.from(body.rows);
    var up = head.getAttribute("aria-sort") === "descending";
    var fixed = rows.filter(function (row) { return row.className === "skr-rest"; });
    var moved = rows.filter(function (row) { return row.className !== "skr-rest"; });
    var keys = new Map(moved.map(function (row) { return [row, number(row.cells[place])]; }));
    moved.sort(function (a, b) {
      var x = keys.get(a), y = keys.get(b);
      if (isNaN(x) && isNaN(y)) {
        return (up ? -1 : 1) * plain(a.cells[place]).localeCompare(plain(b.cells[place]));
      }
      if (isNaN(x) || isNaN(y)) { return isNaN(x) ? 1 : -1; }
      return up ? x - y : y - x;
    });
    Array.from(table.tHead.rows[0].cells).forEach(function (cell) { cell.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    moved.concat(fixed).forEach(function (row) { body.appendChild(row); });
  };
  Array.from(page.querySelectorAll("table")).forEach(function (table) {
    if (table.tBodies[0].rows.length < 3 || table.querySelector(".skr-sum")) { return; }
    Array.from(table.tHead.rows[0].cells).forEach(function (head, place) {
      if (!plain(head) && place) { return; }
      head.tabIndex = 0;
      head.classList.add("skr-sorts");
      head.addEventListener("click", function () { sort(table, head, place); });
      head.addEventListener("keydown", function (event) {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(table, head, place); }
      });
    });
  });

  // what is typed keeps the lines of tables, and the unfolded rows, that hold it
  var field = document.createElement("input"), count = document.createElement("output");
  var label = document.createElement("label"), bar = document.createElement("p");
  field.type = "search";
  field.placeholder = "a column, a row or a value";
  label.append("Show only ", field);
  bar.className = "skr-find";
  bar.append(label, " ", count);
  (page.querySelector("nav") || page.querySelector("h1")).after(bar);
  var opened = [];
  field.addEventListener("input", function () {
    var wanted = field.value.trim().toLowerCase(), found = 0;
    var holds = function (node) { return !wanted || plain(node).toLowerCase().indexOf(wanted) >= 0; };
    page.querySelectorAll("tbody").forEach(function (body) {
      // sums stay, and so does a table that holds it nowhere
      var rows = Array.from(body.rows), held = rows.filter(holds);
      rows.forEach(function (row) {
        row.hidden = held.length > 0 && held.indexOf(row) < 0 && !row.classList.contains("skr-sum");
      });
      found += wanted ? held.length : 0;
    });
    opened.forEach(function (part) { part.open = false; });
    opened = [];
    page.querySelectorAll("details").forEach(function (part) {
      part.hidden = !holds(part);
      if (wanted && !part.hidden && !part.open) { part.open = true; opened.push(part); }
    });
    count.textContent = wanted ? (found === 1 ? "1 line holds it" : found + " lines hold it") : "";
  });
})();
