"""Colours, and the style of HTML renderings; every rule is confined to the class ``skr``."""

# Told apart under the common kinds of colour blindness; each has a contrast of 3 with white and with black.
POSITIVE, NEGATIVE, SIZE = "#e0700a", "#2f7fbf", "#3a9a8b"
GREY, GOOD, BAD = "#808080", "#2e8b57", "#d1483a"
# Colours are inherited or see-through, so that light and dark pages both stay legible.
CARD_CSS = f"""
.skr {{font: 14px/1.45 system-ui, sans-serif; max-width: 54em; color: inherit}}
.skr p {{margin: .3em 0}}
.skr .skr-note {{opacity: .8; font-size: .93em}}
.skr code {{display: block; white-space: pre-wrap; overflow-wrap: anywhere; padding: .4em .6em;
  color: inherit; background: rgba(128, 128, 128, .14)}}
.skr table {{border-collapse: collapse; width: 100%; table-layout: fixed; margin: .4em 0 .8em;
  font-size: inherit; border: 0}}
.skr caption {{caption-side: top; text-align: left; padding: .2em .5em; opacity: .8; color: inherit}}
.skr tr, .skr th, .skr td {{background: transparent; color: inherit}}
.skr th, .skr td {{padding: .22em .5em; text-align: left; vertical-align: top; white-space: normal;
  overflow-wrap: anywhere; border: 0; border-bottom: 1px solid rgba(128, 128, 128, .28)}}
.skr thead th {{font-weight: 600; border-bottom: 1px solid rgba(128, 128, 128, .75)}}
.skr tbody th {{font-weight: normal}}
.skr tr.skr-rest th, .skr tr.skr-rest td {{padding-top: .7em;
  color: color-mix(in srgb, currentColor 75%, transparent)}}
.skr tr.skr-rest .skr-bar i {{
  background-image: repeating-linear-gradient(45deg, transparent 0 3px, Canvas 3px 6px)}}
.skr tr.skr-rest summary {{padding: 0}}
.skr [title]:not(figure *) {{cursor: help}}
.skr tr.skr-sum th, .skr tr.skr-sum td {{font-weight: 600}}
.skr .skr-n {{text-align: right; font-variant-numeric: tabular-nums; width: 7.5em; overflow-wrap: normal}}
.skr .skr-pair {{width: 9.5em; white-space: nowrap}}
.skr .skr-u {{text-align: right; width: 5.2em}}
.skr .skr-b {{width: 34%}}
.skr .skr-bar {{position: relative; height: 1em; margin: .22em 0}}
.skr .skr-bar i {{position: absolute; top: 0; bottom: 0;
  print-color-adjust: exact; -webkit-print-color-adjust: exact}}
.skr .skr-two::before {{content: ""; position: absolute; left: 50%; top: -.2em; bottom: -.2em;
  border-left: 1px solid rgba(128, 128, 128, .75)}}
.skr .skr-size {{background: {SIZE}}}
.skr .skr-pos {{background: {POSITIVE}}}
.skr .skr-neg {{background: {NEGATIVE}}}
.skr .skr-wide-table {{overflow-x: auto; margin: .2em 0;
  background: linear-gradient(270deg, Canvas 50%, transparent) right / 3em 100% no-repeat local,
  linear-gradient(270deg, rgba(128, 128, 128, .75), transparent) right / .7em 100% no-repeat scroll}}
.skr .skr-wide-table table {{table-layout: auto; margin-bottom: .3em}}
.skr .skr-wide-table th, .skr .skr-wide-table td {{overflow-wrap: break-word}}
.skr .skr-wide-table .skr-n {{width: auto}}
.skr .skr-wide-table tbody th {{min-width: 8.5em; max-width: 20em}}
.skr .skr-wide-table td {{unicode-bidi: isolate}}
.skr .skr-share {{min-width: 7em}}
.skr .skr-share .skr-bar {{width: 6.5em; height: .55em; margin: .1em 0 .2em}}
@media screen {{
  .skr .skr-wide-table tbody th {{position: sticky; left: 0; background: Canvas}}
}}
.skr .skr-verdict {{border-left: .4em solid {GREY}; padding: .1em .8em; margin: .5em 0;
  background: rgba(128, 128, 128, .1)}}
.skr .skr-verdict.skr-is-good {{border-color: {GOOD}}}
.skr .skr-verdict.skr-is-bad {{border-color: {BAD}}}
.skr span.skr-is-good, .skr span.skr-is-bad {{font-weight: 700; padding: 0 .35em; border-radius: .2em}}
.skr span.skr-is-good {{box-shadow: inset 0 -.2em {GOOD}}}
.skr span.skr-is-bad {{box-shadow: inset 0 -.2em {BAD}}}
.skr-dependences {{display: flex; flex-wrap: wrap; gap: .6em 1.6em}}
.skr figure {{margin: .3em 0; max-width: 100%; width: 21em}}
.skr figcaption {{font-size: .93em; overflow-wrap: anywhere; margin-bottom: .3em}}
.skr svg {{display: block; max-width: 100%; height: auto; overflow: visible}}
.skr svg text {{font: 11px system-ui, sans-serif; fill: currentColor}}
.skr svg path {{fill: none; stroke: none; print-color-adjust: exact; -webkit-print-color-adjust: exact}}
.skr svg .skr-axis {{stroke: {GREY}}}
.skr svg .skr-rows {{fill: {GREY}}}
.skr svg .skr-dots {{stroke: {SIZE}; stroke-width: 4; stroke-linecap: round}}
.skr svg .skr-gone {{stroke: {GREY}; stroke-width: 4; stroke-linecap: square}}
.skr svg .skr-box {{fill: {SIZE}}}
.skr svg .skr-middle {{stroke: currentColor; stroke-width: 2}}
.skr summary {{cursor: pointer; padding: .2em 0}}
.skr details details {{margin-left: 1.2em}}
.skr tr, .skr summary {{break-inside: avoid}}
@media (max-width: 32em) {{
  .skr .skr-b {{width: 18%}}
  .skr th, .skr td {{padding: .22em .25em}}
}}
@media print {{
  .skr table {{break-inside: avoid}}
  .skr details:not(.skr-on-screen)::details-content {{content-visibility: visible; display: block;
    height: auto}}
  .skr details.skr-on-screen:not([open]) > summary {{list-style: none}}
  .skr table + details.skr-on-screen:not([open]) {{display: none}}
}}
"""
PAGE_CSS = """
:root {color-scheme: light dark}
body {margin: 1.5em 1em}
main.skr {margin: auto}
h1 {font-size: 1.5em; overflow-wrap: anywhere}
.skr .skr-sorts {cursor: pointer}
.skr .skr-sorts[aria-sort]::after {content: " ▾"}
.skr .skr-sorts[aria-sort=ascending]::after {content: " ▴"}
.skr-find input {font: inherit; padding: .15em .4em; width: 18em; max-width: 60vw}
@media print {.skr-find {display: none}}
h2 {font-size: 1.15em; margin: 1.4em 0 .3em}
"""
