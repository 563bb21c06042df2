/** Colours of the page in light; `series` are told apart by people who see colours differently, and stand out from the paper. */
const light = `
  --paper: #ffffff; --surface: #f4f6f8; --ink: #1a1d21; --muted: #545d68; --line: #d5dae0; --faint: #767f89;
  --accent: #0a57a4; --method: #0a57a4; --control: #6a7380; --good: #17693a; --bad: #a61b1b; --best: #fff3c9;
  --series-1: #1f6fb4; --series-2: #b8500c; --series-3: #2b7a4b; --series-4: #b02a5b;
  --series-5: #6d4fc4; --series-6: #80680a; --series-7: #0d7a86; --series-8: #5f6772;`;

const dark = `
  --paper: #14171b; --surface: #1d2228; --ink: #e7eaee; --muted: #a9b2bd; --line: #39414a; --faint: #8a94a0;
  --accent: #7fbcff; --method: #7fbcff; --control: #a3adb9; --good: #76d39a; --bad: #ff9c94; --best: #4a4015;
  --series-1: #6cb2f0; --series-2: #f5a162; --series-3: #6fd097; --series-4: #f58bb0;
  --series-5: #b6a0fb; --series-6: #d9bd45; --series-7: #55cbd6; --series-8: #b0b8c2;`;

/** The style sheet of the page: screen wide and narrow, light and dark, paper. */
export const style = `
:root { color-scheme: light dark; ${light} }
@media screen and (prefers-color-scheme: dark) { :root { ${dark} } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; overflow-wrap: break-word; }
.page { display: grid; grid-template-columns: 13.5rem minmax(0, 1fr); gap: 2.5rem; max-width: 82rem; margin: 0 auto; padding: 1.5rem; }
nav { position: sticky; top: 1.5rem; align-self: start; max-height: calc(100vh - 3rem); overflow-y: auto; font-size: .875rem; line-height: 1.35; }
nav h2 { margin: 0 0 .5rem; padding: 0; border: 0; font-size: .8125rem; color: var(--muted); }
nav ol { list-style: none; margin: 0; padding: 0; }
nav ol ol { padding-left: .75rem; border-left: 1px solid var(--line); margin: .1rem 0 .4rem; }
nav a { display: block; padding: .2rem 0; color: var(--ink); text-decoration: none; }
nav ol ol a { color: var(--muted); }
nav a:hover { text-decoration: underline; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
main { min-width: 0; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .75rem; }
h2 { font-size: 1.4rem; line-height: 1.25; margin: 3rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.125rem; margin: 2.25rem 0 .5rem; }
h4 { font-size: 1rem; margin: 1.5rem 0 .4rem; }
p, ul, dl { max-width: 46rem; margin: .5rem 0; }
ul { padding-left: 1.25rem; }
code { font: .875em ui-monospace, SFMono-Regular, Menlo, "Liberation Mono", monospace; }
pre { margin: .5rem 0; padding: .75rem 1rem; background: var(--surface); border: 1px solid var(--line); border-radius: .375rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.lead { font-size: 1.0625rem; }
.note { color: var(--muted); font-size: .9375rem; }
.warnings { margin: 1.25rem 0; padding: .6rem 1.1rem; border: 2px solid var(--bad); border-radius: .375rem; } .warnings strong { color: var(--bad); }
.verdict { margin: 1.25rem 0; padding: .9rem 1.1rem; border: 1px solid var(--line); border-left: .3rem solid var(--faint); border-radius: .375rem; background: var(--surface); }
.verdict.yes { border-left-color: var(--good); } .verdict.no { border-left-color: var(--bad); }
.verdict p { margin: .25rem 0; } .counts { display: inline-flex; } .counts > span { width: 2.4rem; } .verdict .scroll th, .verdict .scroll td { padding: .35rem .4rem; } .verdict .question { color: var(--muted); font-size: .9375rem; } .verdict .answer { font-size: 1.125rem; font-weight: 600; }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-size: .9063rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: 0 0 .4rem; color: var(--muted); }
th, td { padding: .35rem .65rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); white-space: nowrap; }
thead th, thead td { vertical-align: bottom; border-bottom: 2px solid var(--faint); font-weight: 600; }
thead th[scope="colgroup"] { border-bottom: 1px solid var(--line); text-align: center; white-space: normal; }
tbody th { font-weight: 400; }
.number { text-align: right; } .wrap { white-space: normal; min-width: 14rem; max-width: 34rem; overflow-wrap: anywhere; }
.values { border-collapse: separate; border-spacing: 0; }
.values tbody th, .values thead tr:first-child th:first-child { position: sticky; left: 0; background: var(--paper); z-index: 1; border-right: 1px solid var(--line); }
.values .group th { position: static; color: var(--muted); font-size: .8438rem; padding-top: .8rem; border-right: 0; }
.values .method th { font-weight: 600; }
.values .first { border-left: 1px solid var(--line); }
.best { background: var(--best); font-weight: 700; }
.interval { display: block; color: var(--muted); font-size: .8125rem; font-weight: 400; }
.better { color: var(--good); font-weight: 600; } .worse { color: var(--bad); } .level, .unknown { color: var(--muted); }
.p { float: left; margin-right: .6rem; color: var(--muted); font-size: .8125rem; } .leads th, .leads td { padding-left: .45rem; padding-right: .45rem; }
.paper-own { border: 1px dashed var(--faint); border-radius: .375rem; padding: .25rem 1.1rem .75rem; margin: 1rem 0; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 1rem 2rem; margin: 1rem 0; }
.charts.narrow { grid-template-columns: repeat(auto-fit, minmax(min(17.5rem, 100%), 1fr)); gap: .75rem 1.25rem; }
.chart-title { margin: 0 0 .1rem; font-size: .875rem; font-weight: 600; text-align: center; }
figure { margin: 1.25rem 0; min-width: 0; }
.charts figure { margin: 0; }
figcaption { color: var(--muted); font-size: .9063rem; max-width: 46rem; }
figcaption strong { color: var(--ink); display: block; font-weight: 600; }
svg.marks { width: 100%; max-width: 30rem; height: auto; display: block; }
.sheet { overflow-x: auto; margin-top: .4rem; }
.sheet img { display: block; max-width: 100%; height: auto; background: #fff; border: 1px solid var(--line); border-radius: .25rem; }
.sheets { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1rem 1.5rem; align-items: start; }
.sheets figure { margin: .5rem 0; }
.bars td:last-child { width: 100%; min-width: 8rem; vertical-align: middle; }
.bars table { width: 100%; max-width: 52rem; }
.bar { display: block; height: .85rem; min-width: 1px; background: var(--series-1); border-radius: 0 .15rem .15rem 0; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.kept .bar { background: var(--series-3); } .none .bar { min-width: 0; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media screen and (prefers-color-scheme: dark) { .sheet img { filter: brightness(.84); } }
@media screen and (max-width: 68rem) {
  .page { display: block; padding: 1rem; }
  nav { position: static; max-height: none; margin-bottom: 1.5rem; padding: .75rem 1rem; background: var(--surface); border-radius: .375rem; }
  nav > ol { columns: 2; column-gap: 1.5rem; } nav li { break-inside: avoid; } nav a { padding: .35rem 0; }
}
@media screen and (max-width: 40rem) {
  h1 { font-size: 1.5rem; } h2 { font-size: 1.25rem; margin-top: 2.25rem; }
  nav ol ol { display: none; }
  th, td { padding: .35rem .5rem; }
  .sheet:not(.small) img { max-width: none; width: max(100%, 40rem); }
  .bars td:last-child { min-width: 5rem; }
  .counts > span { width: 2.05rem; } .verdict { padding: .8rem .75rem; } .verdict .scroll th, .verdict .scroll td { padding: .35rem .25rem; }
}
@page { margin: 14mm 13mm; }
@media print {
  :root { font-size: 9.5pt; }
  body { line-height: 1.4; }
  .page { display: block; padding: 0; max-width: none; }
  nav { position: static; max-height: none; overflow: visible; margin: 0 0 8mm; padding: 0 0 4mm; border-bottom: 1px solid var(--line); }
  nav > ol { columns: 3; } nav li { break-inside: avoid; } nav ol ol { display: none; }
  h2 { margin-top: 2rem; }
  .scroll, .sheet { overflow: visible; }
  .scroll table { max-width: 100%; } table { font-size: 7.8pt; } .interval, .p { font-size: 6.8pt; }
  th, td { padding: .15rem .35rem; } .values th, .values td { white-space: normal; } .wrap { min-width: 0; }
  .leads { font-size: 7.2pt; } .leads td { white-space: nowrap; } .leads th, .leads td { padding-left: .3rem; padding-right: .3rem; } .p { margin-right: .35rem; }
  .values tbody th, .values thead tr:first-child th:first-child { position: static; }
  h2, h3, h4, caption, thead, .group { break-after: avoid; } figure, tr, .verdict, .warnings, .paper-own, pre { break-inside: avoid; }
  thead { display: table-header-group; }
  .charts, .sheets { display: block; }
  .charts > *, .sheets figure { display: inline-block; vertical-align: top; width: 47%; margin: .5rem 2% .5rem 0; }
  .charts.narrow > * { width: 31%; }
  .sheet img { max-height: 215mm; width: auto; }
  .best, .bar { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  a { color: inherit; text-decoration: none; }
}
`;
