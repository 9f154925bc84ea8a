"""The one script of a page: a reader for the curve, tables that sort, a button that copies.

Everything it shows is on the page already; without it the page is complete. It loads nothing, keeps
nothing, and builds no HTML from text.
"""

from __future__ import annotations

SCRIPT = r"""
"use strict";
(function () {
  var all = function (selector, root) {
    return Array.prototype.slice.call((root || document).querySelectorAll(selector));
  };

  // Read the curve off: the slider goes along the rows of the table of points.
  all(".reader").forEach(function (reader) {
    var slider = reader.querySelector("input");
    var output = reader.querySelector("output");
    var rows = all("#" + reader.dataset.rows + " tr[data-k]");
    rows.sort(function (a, b) { return a.dataset.k - b.dataset.k; });
    var cursors = reader.dataset.cursors.split(" ").map(function (id) {
      return document.getElementById(id);
    });
    var show = function () {
      var row = rows[Number(slider.value)];
      output.textContent = row.dataset.say;
      slider.setAttribute("aria-valuetext", row.dataset.say);
      rows.forEach(function (other) { other.classList.toggle("here", other === row); });
      row.dataset.at.split(" ").forEach(function (place, k) {
        var cursor = cursors[k];
        if (!cursor) { return; }
        if (place === "-") { cursor.setAttribute("visibility", "hidden"); return; }
        cursor.setAttribute("visibility", "visible");
        cursor.setAttribute("transform", "translate(" + place + ")");
      });
    };
    slider.addEventListener("input", show);
    reader.hidden = false;
    show();
  });

  // Sort: a heading becomes a button; numbers by their value, the rest by their text.
  all("table.sortable").forEach(function (table) {
    var body = table.tBodies[0];
    var heads = all("thead th", table);
    var key = function (row, place) {
      var cell = row.cells[place];
      return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
    };
    heads.forEach(function (head, place) {
      var button = document.createElement("button");
      button.type = "button";
      while (head.firstChild) { button.appendChild(head.firstChild); }
      head.appendChild(button);
      button.addEventListener("click", function () {
        var down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        var rows = all("tr", body);
        rows.sort(function (a, b) {
          var x = key(a, place), y = key(b, place);
          var order = typeof x === "number" && typeof y === "number"
            ? (isNaN(x) ? 1 : 0) - (isNaN(y) ? 1 : 0) || x - y
            : String(x).localeCompare(String(y), "en", {numeric: true});
          return down ? -order : order;
        });
        rows.forEach(function (row) { body.appendChild(row); });
      });
    });
  });

  // Copy the command.
  all("button.copy").forEach(function (button) {
    var source = document.getElementById(button.dataset.copies);
    var said = button.textContent;
    var status = button.nextElementSibling;
    var select = function () {
      var range = document.createRange();
      range.selectNodeContents(source);
      var chosen = getSelection();
      chosen.removeAllRanges();
      chosen.addRange(range);
    };
    var done = function (word, more) {
      button.textContent = word;
      status.textContent = more;
      setTimeout(function () { button.textContent = said; status.textContent = ""; }, 4000);
    };
    var byHand = function () {
      select();
      var copied = false;
      try { copied = document.execCommand("copy"); } catch (error) { copied = false; }
      if (copied) { done("Copied", "The command is on the clipboard."); }
      else { done("Selected", "Press Ctrl+C or Cmd+C to copy it."); }
    };
    button.addEventListener("click", function () {
      if (!navigator.clipboard) { byHand(); return; }
      navigator.clipboard.writeText(source.textContent).then(function () {
        done("Copied", "The command is on the clipboard.");
      }, byHand);
    });
    button.hidden = false;
  });

  // On paper everything is open.
  var opened = [];
  addEventListener("beforeprint", function () {
    opened = opened.concat(all("details:not([open])"));
    opened.forEach(function (one) { one.open = true; });
  });
  addEventListener("afterprint", function () {
    opened.forEach(function (one) { one.open = false; });
    opened = [];
  });
})();
"""
