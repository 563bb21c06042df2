const cell = (text) =>
  String(text ?? '-')
    .replaceAll('|', '\\|')
    .replaceAll('\n', ' ');

const columns = [
  ['condition', ({ condition }) => condition],
  ['what it is', ({ what }) => what],
  ['tried with', ({ checkout, cache, job }) => `${job}; ${checkout} checkout, ${cache} cache`],
  ['end', ({ ended, asExpected }) => (asExpected ? ended : `${ended} (NOT AS EXPECTED)`)],
  ['runtime', ({ runtime }) => runtime],
  ['s', ({ seconds }) => seconds && [seconds.install, seconds.run].filter((one) => one !== undefined).join(' + ')],
  ['MB at most', ({ peakMb }) => peakMb],
  ['digest', ({ digestEqual }) => digestEqual],
  ['said', ({ said }) => said?.slice(0, 2).join(' / ')],
];

/** The rows as a Markdown table. */
export const formatTable = (rows) =>
  [
    columns.map(([title]) => title),
    columns.map(() => '---'),
    ...rows.map((row) => columns.map(([, value]) => cell(value(row)))),
  ]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
