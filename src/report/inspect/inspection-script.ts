/**
 * What the inspection page does where scripts may run: filter videos and cards, open and close them all, open what an address
 * names. Without it everything is there, closed, for a click or a key.
 */
export const inspectionScript = `
const form = document.querySelector('form.filter');
const videos = [...document.querySelectorAll('details.video')];
const rows = new Map([...document.querySelectorAll('tr[data-video]')].map((row) => [row.dataset.video, row]));
const count = form.querySelector('output');
const apply = () => {
  const name = form.elements.name.value.trim().toLowerCase();
  const outcome = form.elements.outcome.value;
  const reason = form.elements.reason.value;
  let shown = 0;
  for (const video of videos) {
    const fits = video.dataset.name.toLowerCase().includes(name) && (outcome === '' || video.dataset.outcome === outcome) &&
      (reason === '' || JSON.parse(video.dataset.reasons).includes(reason));
    video.hidden = !fits;
    const row = rows.get(video.id);
    if (row) row.hidden = !fits;
    if (!fits) continue;
    shown++;
    for (const card of video.querySelectorAll('.card')) {
      card.hidden = reason !== '' && card.dataset.reason.split(':')[0] === reason.split(':')[0] && card.dataset.reason !== reason;
    }
  }
  count.value = shown + ' of ' + videos.length + ' videos';
};
const openNamed = () => {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named?.matches('details.video')) { named.open = true; named.scrollIntoView(); }
};
form.hidden = false;
form.addEventListener('input', apply);
form.addEventListener('submit', (event) => event.preventDefault());
form.addEventListener('reset', () => setTimeout(apply));
form.querySelector('[name=open]').addEventListener('click', () => { for (const video of videos) if (!video.hidden) video.open = true; });
form.querySelector('[name=close]').addEventListener('click', () => { for (const video of videos) video.open = false; });
addEventListener('hashchange', openNamed);
apply();
openNamed();
`;
