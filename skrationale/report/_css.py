"""Style of a report, beside that of explanations; every rule is confined to the class ``skr-report``."""

REPORT_CSS = """
main.skr-report {max-width: 68em}
.skr-report .skr {font-size: inherit; max-width: none}
.skr-report h2 {font-size: 1.3em; margin: 2em 0 .4em; padding-top: .5em;
  border-top: 2px solid rgba(128, 128, 128, .45); overflow-wrap: anywhere}
.skr-report .skr-short {margin: .4em 0}
.skr-report dt {font-weight: 600; margin-top: .5em}
.skr-report dd {margin: .1em 0 0; overflow-wrap: anywhere}
.skr-report h3 {font-size: 1.08em; margin: 1.5em 0 .2em; break-after: avoid}
.skr-report nav {margin: .8em 0; padding: .3em 0 .1em; position: sticky; top: 0; z-index: 2;
  background: Canvas; border-bottom: 1px solid rgba(128, 128, 128, .45);
  max-height: 5.5em; overflow-y: auto}
.skr-report section, .skr-report h2 {scroll-margin-top: 3em}
.skr-report nav a, .skr-report .skr-wide-table a {color: inherit}
.skr-report nav a {display: inline-block; margin: 0 1.2em .2em 0}
.skr-report .skr-words {min-width: 13em}
.skr-report .skr-cell {min-width: 7em; max-width: 18em}
.skr-report .skr-formula code {padding: .3em 1em; max-height: 24em; overflow-y: auto}
.skr-report ol.skr-missing {opacity: .8; font-size: .93em; margin: .2em 0 .6em; padding-left: 2.2em}
.skr-report sup {line-height: 0}
.skr-report .skr-figure {white-space: nowrap}
.skr-report .skr-figure small {opacity: .8}
.skr-report ul {margin: .3em 0; padding-left: 1.4em}
.skr-report li, .skr-report p {overflow-wrap: anywhere}
@media print {
  @page {margin: 14mm}
  body {margin: 0}
  main.skr-report {font-size: 12px}
  .skr-report .skr-note, .skr-report ol.skr-missing {font-size: .85em; line-height: 1.3}
  .skr-report section > details {break-inside: avoid}
  .skr-report summary {break-after: avoid}
  .skr-report nav {display: none}
  .skr-report section {break-before: page}
  .skr-report section.skr-first {break-before: auto}
  .skr-report .skr-wide-table, .skr-report .skr-rows {overflow: visible}
  .skr-report .skr-wide-table table {font-size: .82em}
  .skr-report .skr-wide-table tbody th, .skr-report .skr-words,
  .skr-report .skr-share, .skr-report .skr-cell {min-width: 0}
  .skr-report .skr-share .skr-bar {width: 4em}
  .skr-report .skr-wide-table th, .skr-report .skr-wide-table td {padding: .22em .3em;
    overflow-wrap: anywhere}
  .skr-report .skr-wide-table thead th, .skr-report .skr-wide-table .skr-n {overflow-wrap: normal}
  .skr-report .skr-wide-table table:has(tbody tr:nth-child(25)) {break-inside: auto}
  .skr-report thead {display: table-header-group}
  .skr-report .skr-formula code {max-height: none}
}
"""
