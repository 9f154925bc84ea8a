"""The one stylesheet of every page: light, dark and print, a phone and a desk."""

from __future__ import annotations

#: name -> (light, dark). Text on its ground has a contrast of at least 4.5 (a test computes it).
COLOURS = {
    "ground": ("#ffffff", "#15181c"),
    "raised": ("#f4f6f8", "#1f242a"),
    "text": ("#1a1d21", "#e8eaed"),
    "soft": ("#505963", "#aab3bd"),
    "rule": ("#c9d0d8", "#3b434c"),
    "edge": ("#737d88", "#808b97"),
    "accent": ("#0b559f", "#82b9f5"),
    "good": ("#14652f", "#7bd398"),
    "bad": ("#a1201b", "#ff9a90"),
    "open": ("#7a4d00", "#f0bd58"),
}
LIGHT, DARK = 0, 1


def _variables(which: int) -> str:
    scheme = ("light", "dark")[which]
    named = "".join(f"--{name}:{pair[which]};" for name, pair in COLOURS.items())
    return f"color-scheme:{scheme};{named}"


# The buttons work by :has alone, without a script; a browser without it follows the system.
_THEMES = f"""
:root{{{_variables(LIGHT)}}}
@media (prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}
:root:has(#theme-light:checked){{{_variables(LIGHT)}}}
:root:has(#theme-dark:checked){{{_variables(DARK)}}}
@media print{{:root,:root:has(#theme-dark:checked){{{_variables(LIGHT)}}}}}
"""

_RULES = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--text);
 font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
header,main,footer{max-width:70rem;margin:0 auto;padding:0 1.25rem}
header{display:flex;flex-wrap:wrap;gap:.4rem 1.5rem;align-items:center;
 justify-content:space-between;padding-top:1rem;padding-bottom:.7rem;color:var(--soft);
 font-size:.9rem}
h1{font-size:1.75rem;line-height:1.25;margin:1rem 0 .3rem;overflow-wrap:anywhere}
h2{font-size:1.25rem;line-height:1.3;margin:2.4rem 0 .6rem;padding-top:.9rem;
 border-top:1px solid var(--rule);overflow-wrap:anywhere}
h3{font-size:1.05rem;margin:1.5rem 0 .4rem;overflow-wrap:anywhere}
p,li{max-width:46rem;overflow-wrap:anywhere}
p{margin:.5rem 0}
ul{padding-left:1.25rem;margin:.5rem 0}
li+li{margin-top:.3rem}
a{color:var(--accent)}
a,button,summary,input,.scroll{outline-offset:2px}
:focus-visible{outline:3px solid var(--accent)}
.skip{position:absolute;left:-99rem}
.skip:focus{position:static}
.sub{color:var(--soft);margin-top:0}
code,pre,.num{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
 font-size:.92em}
code{overflow-wrap:anywhere}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--raised);padding:.8rem 1rem;
 border:1px solid var(--rule);border-radius:.4rem;margin:.5rem 0}
.answer{background:var(--raised);border-left:.35rem solid var(--accent);border-radius:.3rem;
 padding:.9rem 1.2rem;margin:1rem 0;font-size:1.12rem}
.answer p{margin:.25rem 0}
.answer strong{font-size:1.25em}
.keys{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(15rem,100%),1fr));gap:.75rem;
 margin:1rem 0;padding:0}
.keys>div{border:1px solid var(--rule);border-radius:.4rem;padding:.6rem .9rem;min-width:0}
.keys dt{color:var(--soft);font-size:.88rem}
.keys dd{margin:0;overflow-wrap:anywhere}
.keys .num{display:block;font-size:1.15rem}
.keys small,.note{color:var(--soft);font-size:.88rem}
.badge{display:inline-block;border:1px solid;border-radius:.3rem;padding:0 .45rem;font-weight:600;
 font-size:.88rem;white-space:nowrap}
.good{color:var(--good)}.bad{color:var(--bad)}.open{color:var(--open)}.plain{color:var(--soft)}
.warnings{border:1px solid var(--open);border-left-width:.35rem;border-radius:.3rem;
 padding:.5rem 1.1rem}
.scroll{overflow-x:auto;max-width:100%;margin:.6rem 0;border:1px solid var(--rule);
 border-radius:.4rem}
table{border-collapse:collapse;width:100%;font-size:.93rem}
caption{text-align:left;padding:.45rem .8rem;color:var(--soft)}
caption span{position:sticky;left:.8rem;display:inline-block;max-width:min(66rem,100vw - 4rem)}
.quiet caption{position:absolute;width:1px;height:1px;padding:0;overflow:hidden;
 clip-path:inset(50%)}
th,td{padding:.35rem .7rem;text-align:right;vertical-align:top;border-top:1px solid var(--rule);
 font-variant-numeric:tabular-nums}
thead th{border-top:0;background:var(--raised);vertical-align:bottom}
th:first-child,td:first-child,.words td,.words th{text-align:left}
tbody th{font-weight:400}
.words td{overflow-wrap:break-word;min-width:6rem}
.words th:first-child:not(:nth-last-child(2)){min-width:10rem}.words td:last-child{min-width:13rem}
td .num,th .num,td code,th code{white-space:nowrap}
.words td code{white-space:normal;overflow-wrap:anywhere}
tr.best td,tr.best th{font-weight:700}
tr.here td,tr.here th{background:var(--raised);box-shadow:inset 0 0 0 1px var(--accent)}
th button{all:unset;cursor:pointer;font:inherit;font-weight:600}
th button:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
th button::after{content:"\\a0↕";color:var(--soft)}
th[aria-sort=ascending] button::after{content:"\\a0↑"}
th[aria-sort=descending] button::after{content:"\\a0↓"}
td.ok,td.wrong,td.some{white-space:nowrap}
td.ok{color:var(--good)}td.wrong{color:var(--bad)}td.some{color:var(--open)}
summary{cursor:pointer;color:var(--accent);padding:.25rem 0;width:fit-content}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(27rem,100%),1fr));gap:1rem}
.beside{display:grid;grid-template-columns:minmax(0,44rem) minmax(16rem,1fr);gap:0 1.5rem;
 align-items:start}
figure{margin:0;min-width:0}
figcaption{color:var(--soft);font-size:.9rem;max-width:46rem}
svg{display:block;width:100%;height:auto;max-width:44rem;background:var(--ground)}
svg text{fill:var(--text);font:15px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",
 "DejaVu Sans",sans-serif}
svg .tick{fill:var(--soft)}
svg .grid{stroke:var(--rule);stroke-width:1;fill:none}
svg .axis{stroke:var(--edge);stroke-width:1.3;fill:none}
svg .curve{stroke:var(--accent);stroke-width:2.6;fill:none;stroke-linejoin:round}
svg .dot{fill:var(--accent);stroke:var(--ground);stroke-width:1}
svg .band{fill:var(--accent);fill-opacity:.2;stroke:none}
svg .zone{fill:var(--text);fill-opacity:.09}
svg .down{stroke:var(--text);stroke-width:1.3;stroke-dasharray:5 4;fill:none}
svg .hatch{stroke:var(--bad);stroke-width:1.6;stroke-opacity:.55}
svg .best{fill:var(--text);stroke:var(--ground);stroke-width:1.5}
svg .low{fill:var(--ground);stroke:var(--text);stroke-width:2}
svg .cursor{fill:none;stroke:var(--bad);stroke-width:3}
svg .label{paint-order:stroke;stroke:var(--ground);stroke-width:4px;stroke-linejoin:round}
.reader{background:var(--raised);border:1px solid var(--rule);border-radius:.4rem;
 padding:.7rem 1rem;margin:1rem 0}
.reader label{font-weight:600;display:block}
.reader input{width:100%;max-width:44rem;accent-color:var(--accent);height:1.8rem;display:block}
.reader output{display:block;min-height:1.6em;font-variant-numeric:tabular-nums}
fieldset{border:0;padding:0;margin:0;display:flex;gap:.9rem;align-items:center}
fieldset legend{float:left;padding:0;margin-right:.9rem}
fieldset label{display:inline-flex;gap:.3rem;align-items:center;min-height:1.75rem;cursor:pointer}
fieldset input{accent-color:var(--accent);width:1.1rem;height:1.1rem;margin:0}
button.copy{font:inherit;color:var(--ground);background:var(--accent);border:0;cursor:pointer;
 border-radius:.35rem;padding:.4rem 1rem;min-height:2.2rem}
footer{color:var(--soft);font-size:.88rem;padding-top:1.5rem;padding-bottom:2.5rem}
[hidden]{display:none!important}
@media (max-width:60rem){.beside{grid-template-columns:minmax(0,1fr)}}
@media (max-width:40rem){
 .reader output{min-height:4.8em}
 header,main,footer{padding-left:1rem;padding-right:1rem}
 h1{font-size:1.4rem}
 .answer{font-size:1.02rem;padding:.7rem .9rem}
 svg text{font-size:22px}
 th,td{padding:.35rem .55rem}
}
@media (prefers-reduced-motion:no-preference){svg .cursor{transition:transform .12s}}
@media (forced-colors:active){svg .curve{stroke:CanvasText}svg .band{fill:GrayText}}
@media print{
 body{font-size:10pt}
 header fieldset,.reader,button.copy,.skip,th button::after{display:none!important}
 details::details-content{content-visibility:visible;display:block;height:auto}
 summary{list-style:none;color:var(--text)}
 h2,h3{break-after:avoid}
 figure,tr,.answer,.keys>div{break-inside:avoid}
 .scroll{overflow:visible;border:0}
 tr.here td,tr.here th{background:none;box-shadow:none}
 svg .cursor{display:none}
}
"""

STYLE = _THEMES + _RULES
