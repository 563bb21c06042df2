import assert from 'node:assert/strict';
import { codeBlock, codeSpan, escapeMarkdown, markdownSentence } from '../../src/report/markdown.js';

describe('Markdown', () => {
  it('shows hostile names literally and on one line', () => {
    assert.equal(escapeMarkdown('a|b\n# c'), 'a\\|b # c');
    assert.equal(escapeMarkdown('<img src=x onerror=alert(1)>.mp4'), '&lt;img src=x onerror=alert(1)&gt;.mp4');
    assert.equal(escapeMarkdown('![x](javascript:1)'), '!\\[x\\](javascript:1)');
    assert.equal(escapeMarkdown('__init__ *a* `b`'), '\\_\\_init\\_\\_ \\*a\\* \\`b\\`');
    assert.equal(escapeMarkdown('# title'), '\\# title');
    assert.equal(escapeMarkdown('1. one'), '1\\. one');
    assert.equal(escapeMarkdown('moving-01.mp4'), 'moving-01.mp4');
    assert.equal(escapeMarkdown('0.5'), '0.5');
    assert.ok(!/[\u202e\u0007]/.test(escapeMarkdown('gpj.\u202eexe\u0007')));
    assert.ok(!escapeMarkdown('see http://x.example').includes('http://'));
  });

  it('sets names between backticks as code, and the rest of a sentence literally', () => {
    assert.equal(markdownSentence('conv_5 of `same_video`, *seed* 1.'), 'conv\\_5 of `same_video`, \\*seed\\* 1.');
    assert.equal(markdownSentence('one ` alone'), 'one \\` alone');
  });

  it('fences code that holds backticks', () => {
    assert.equal(codeSpan('ls'), '`ls`');
    assert.equal(codeSpan('a ``b`` c'), '```a ``b`` c```');
    assert.equal(codeSpan('`x'), '`` `x ``');
    assert.equal(codeSpan('a|b'), '`a\\|b`');
  });

  it('sets a command in a block that it cannot end', () => {
    assert.equal(codeBlock('ls -l'), '```bash\nls -l\n```');
    assert.equal(codeBlock('a\n```\nb'), '````bash\na ``` b\n````');
  });
});
