/** What the inspection page adds to the style sheet of the report. */
export const inspectionStyle = `
form.filter { position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; padding: .6rem .75rem; margin: 1rem 0; background: var(--surface); border: 1px solid var(--line); border-radius: .375rem; }
form.filter[hidden] { display: none; }
form.filter label { display: grid; gap: .15rem; font-size: .8125rem; color: var(--muted); }
form.filter input, form.filter select, form.filter button { font: inherit; font-size: .9375rem; color: var(--ink); background: var(--paper); border: 1px solid var(--faint); border-radius: .25rem; padding: .3rem .5rem; max-width: 100%; }
form.filter output { margin-left: auto; font-size: .9063rem; color: var(--muted); }
[hidden] { display: none !important; }
details.video { border: 1px solid var(--line); border-radius: .375rem; padding: 0 1rem; margin: .6rem 0; scroll-margin-top: 5rem; }
details.video[open] { padding-bottom: 1rem; }
details.video > summary { padding: .55rem 0; cursor: pointer; }
details.video > summary h3 { display: inline; margin: 0 .6rem 0 0; font-size: 1rem; overflow-wrap: anywhere; }
summary { cursor: pointer; }
details details { margin: .75rem 0; }
.reasons { display: flex; flex-wrap: wrap; gap: .15rem 1.1rem; list-style: none; padding: 0; max-width: none; font-size: .9063rem; color: var(--muted); } .reasons b { color: var(--ink); font-weight: 600; }
.cards { display: flex; gap: .75rem; overflow-x: auto; padding: .15rem .15rem .75rem; align-items: flex-start; }
.card { flex: none; border: 1px solid var(--line); border-top: .25rem solid var(--bad); border-radius: .375rem; padding: .5rem .75rem .75rem; background: var(--surface); max-width: 47rem; }
.card.kept { border-top-color: var(--good); }
.card h5 { margin: 0 0 .35rem; font-size: .9375rem; font-weight: 600; }
.card.kept .outcome { color: var(--good); } .card.refused .outcome { color: var(--bad); }
.card .note { margin: .2rem 0; font-size: .8438rem; max-width: 42rem; }
.card figure { margin: .35rem 0; }
.card figcaption { font-size: .8125rem; max-width: 21rem; } .card figure:has(.strip) figcaption { max-width: none; }
.card img { display: block; border-radius: .2rem; background: var(--line); }
.card .pictures { display: flex; gap: 1rem; align-items: flex-start; }
.card .pictures img:not(.patch) { width: 21rem; height: auto; } .card img.strip { width: 45rem; max-width: 100%; height: auto; }
.ends { display: flex; gap: .25rem; } .ends img.patch { width: 8rem; height: 8rem; object-fit: contain; }
.numbers { font-size: .8125rem; line-height: 1.3; } .numbers th, .numbers td { padding: .1rem .6rem .1rem 0; border-bottom: 1px solid var(--line); }
.numbers .off th, .numbers .off td { color: var(--bad); font-weight: 600; }
svg.timeline { display: block; width: 100%; min-width: 36rem; max-width: 66rem; height: auto; }
svg .kept { fill: var(--series-3); } svg .refused { fill: var(--series-4); } svg .little { fill: var(--faint); opacity: .4; } svg .outside { fill: var(--line); }
svg text { fill: var(--ink); font-size: 11px; } svg text.faint { fill: var(--muted); font-size: 10px; }
svg .axis { stroke: var(--faint); fill: none; stroke-width: 1; } svg .cut { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 2 2; }
svg .limit { stroke: var(--ink); stroke-width: 1.2; stroke-dasharray: 4 3; fill: none; }
svg .curve { fill: none; stroke: var(--series-1); stroke-width: 1.5; } svg .curve-end { fill: var(--series-2); }
svg.peaks { width: 16.25rem; height: 4.4rem; margin-top: .3rem; }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.25rem; list-style: none; padding: 0; max-width: none; font-size: .9063rem; }
.key i { display: inline-block; width: .9rem; height: .7rem; margin-right: .4rem; border-radius: .1rem; }
@media screen and (prefers-color-scheme: dark) { .card img { filter: brightness(.9); } }
@media screen and (max-width: 40rem) { .card { max-width: 92vw; } .card .pictures { flex-wrap: wrap; } .card .pictures img:not(.patch) { width: 78vw; } form.filter { position: static; } }
@media print { form.filter { display: none; } .cards { flex-wrap: wrap; overflow: visible; } }
`;
