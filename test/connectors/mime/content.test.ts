import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contentOf } from '../../../src/connectors/mime/parse.ts'

const lines = (...all: readonly string[]) => all.join('\n')
const text = (...all: readonly string[]) => contentOf(lines(...all), null)

describe('what the author wrote', () => {
  test.each<[string, string]>([
    ['Gmail', 'On Mon, Jan 5, 2026 at 3:00 PM Bob <bob@x.com> wrote:'],
    ['Gmail, broken over two lines', 'On Mon, Jan 5, 2026 at 3:00 PM Bob Somebody\n<bob@x.com> wrote:'],
    ['Gmail in German', 'Am Mo., 5. Jan. 2026 um 15:00 Uhr schrieb Bob Meier <bob@x.de>:'],
    ['Thunderbird in German', 'Am 05.01.2026 um 15:00 schrieb Bob Meier:'],
    ['Gmail in French', 'Le lun. 5 janv. 2026 à 15:00, Bob <bob@x.fr> a écrit :'],
    ['Apple Mail', 'On 5 Jan 2026, at 15:00, Bob <bob@x.com> wrote:'],
    ['Spanish', 'El lun, 5 ene 2026 a las 15:00, Bob (<bob@x.es>) escribió:'],
    ['Italian', 'Il giorno lun 5 gen 2026 alle ore 15:00 Bob <bob@x.it> ha scritto:'],
  ])('%s', (_, attribution) => {
    const said = text('Yes, fine.', '', attribution, '', '> Is it?', '> Bob', '')
    expect(said.text).toBe('Yes, fine.')
    expect(said.quoted).toMatch(/> Is it\?\n> Bob$/)
    expect(said.signature).toBeNull()
  })

  test.each<[string, string[]]>([
    [
      'with addresses',
      ['From: Bob <bob@x.com>', 'Sent: Monday, January 5, 2026 3:00 PM', 'To: Ann', 'Subject: x'],
    ],
    ['without addresses', ['From: Bob Smith', 'Sent: Monday, January 5, 2026 3:00 PM', 'To: Ann']],
    ['under a line', ['________________________________', 'From: Bob Smith', 'Sent: Monday', 'To: Ann']],
    ['in German', ['Von: Bob Meier', 'Gesendet: Montag, 5. Januar 2026 15:00', 'An: Ann', 'Betreff: x']],
    ['in French', ['De : Bob', 'Envoyé : lundi 5 janvier 2026 15:00', 'À : Ann', 'Objet : x']],
    ['in bold', ['*From:* Bob', '*Sent:* Monday', '*To:* Ann']],
    ['Original Message', ['-----Original Message-----', 'From: Bob', 'Sent: Monday']],
    ['Ursprüngliche Nachricht', ['-----Ursprüngliche Nachricht-----', 'Von: Bob', 'Gesendet: Montag']],
  ])('Outlook, %s', (_, header) => {
    const said = text('Yes.', '', ...header, '', 'Is it?', '', 'Bob')
    expect(said.text).toBe('Yes.')
    expect(said.quoted?.endsWith('Is it?\n\nBob')).toBe(true)
  })

  test.each<[string, string]>([
    ['-- ', 'Jo Lee'],
    ['Best regards,', 'Jo Lee'],
    ['Cordialement,', 'Jo Lee'],
    ['Sent from my iPhone', ''],
  ])('signature after %j', (mark, name) => {
    const said = text('Yes.', '', mark, name)
    expect([said.text, said.signature]).toEqual([
      'Yes.',
      [mark.trim(), name].filter(Boolean).join('\n').replace(/^--$/m, '--').replace(/^--\n/, '-- \n'),
    ])
  })

  test('a long quote at the end is quoted whole, with the line above it, and costs next to nothing', () => {
    const quote = Array.from({ length: 2_000 }, (_, n) => `> line ${n}`).join('\n')
    const above = 'On Mon, Jan 5, 2026 at 3:00 PM Bob <b@x.de> wrote:'
    const said = text(`Yes.\n\n${above}\n${quote}`)
    expect([said.text, said.quoted]).toEqual(['Yes.', `${above}\n${quote}`])
  })

  test('long lines come back as they were, wherever they stand', () => {
    const long = 'what $& and $1 cost '.repeat(30).trim()
    const said = text(`${long}\n\nOn Mon, Jan 5, 2026 at 3:00 PM Bob <b@x.de> wrote:\n> ${long}\n> 7`)
    expect(said.text).toBe(long)
    expect(said.quoted).toBe(`On Mon, Jan 5, 2026 at 3:00 PM Bob <b@x.de> wrote:\n> ${long}\n> 7`)
    expect(text(`Yes.\n-- \n${long}`).signature).toBe(`-- \n${long}`)
  })

  test('answers between quoted lines stay, in their order', () => {
    const said = text('> One?', 'Yes.', '> Two?', 'No.')
    expect([said.text, said.quoted]).toEqual(['Yes.\n\nNo.', '> One?\n\n> Two?'])
  })

  test('a sentence that begins like a header is none', () => {
    expect(text('From: here on we agree.', 'Fine.').quoted).toBeNull()
    expect(text('On Monday I wrote to you.', 'Fine.').text).toBe('On Monday I wrote to you.\nFine.')
  })

  test('a reply in HTML', () => {
    const said = contentOf(
      null,
      '<div>Fine</div><br><div class="gmail_quote"><div>On Mon, Jan 5, 2026 at 3:00 PM Bob &lt;<a href="mailto:b@x.de">b@x.de</a>&gt; wrote:<br></div><blockquote><div>Is it?</div></blockquote></div>',
    )
    expect(said.text).toBe('Fine')
    expect(said.quoted).toBe('On Mon, Jan 5, 2026 at 3:00 PM Bob <b@x.de> wrote:\n\n> Is it?')
  })

  test('half a character, as JSON can hold one, does not come through', () => {
    const said = contentOf('a\ud800b', '<p>c\udfffd</p>')
    expect([said.text, said.html]).toEqual(['a\ufffdb', '<p>c\ufffdd</p>'])
    const cut = contentOf(`${'x'.repeat(199_999)}\u{1f600}`, null)
    expect(cut.text?.isWellFormed()).toBe(true)
  })

  test('dollars are dollars', () => {
    const body = 'It costs $100, $& and $`.'
    expect(text(body, '', 'On $` $& $1 Monday, Bob wrote:', '', '> $$').text).toBe(body)
  })

  test('nothing of a body is lost or made up', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '> ',
        '>',
        '\n',
        '\n\n',
        '-- \n',
        'On Mon, Bob wrote:\n',
        'From: Bob <b@x.de>\n',
        'Sent: x\n',
        'Best regards,\n',
        '$',
        '$`',
        '$&',
        'Op x schreef y:\n',
        '在x\n写道：\n',
        '-----Original Message-----\n',
        'Am x um y schrieb z:\n',
      ),
      fc.lorem({ maxCount: 5 }),
      fc.string({ unit: 'grapheme', maxLength: 10 }),
      fc.constant('long '.repeat(300)),
    )
    const letters = (value: string) => Array.from(value.replace(/\s/g, '')).toSorted().join('')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        // oxlint-disable-next-line no-control-regex -- control characters and ours are dropped on purpose
        const body = pieces.join('').replace(/[\u0000-\u0008\u000b-\u001f\u007f\ue000\ue001]/g, '')
        const said = contentOf(body, null)
        expect(letters([said.text, said.quoted, said.signature].join(''))).toBe(letters(body))
      }),
      { numRuns: 300 },
    )
  })
})

describe('HTML', () => {
  const safe = (html: string) => contentOf(null, html).html ?? ''

  test.each<[string, string]>([
    ['<script>alert(1)</script>', 'a script'],
    ['<scr<script>ipt>alert(1)</script>', 'a split script'],
    ['<style>p{background:url(https://t.example)}</style>', 'styles'],
    ['<p style="background:url(https://t.example/x)">', 'a style attribute'],
    ['<table background="https://t.example/x.png"><tr><td background="https://t.example">', 'a background'],
    ['<img src="https://t.example/p.gif" width="1" height="1">', 'a tracking pixel'],
    [
      '<img srcset="https://t.example/x 2x"><picture><source srcset="https://t.example"></picture>',
      'a picture',
    ],
    ['<svg onload=alert(1)><image href="https://t.example"/></svg>', 'SVG'],
    ['<a href="javascript:alert(1)">x</a>', 'a script link'],
    ['<a href="JaVa\tScRiPt:alert(1)">x</a>', 'a disguised script link'],
    ['<a href="&#106;avascript:alert(1)">x</a>', 'an encoded script link'],
    ['<a href="data:text/html,<script>alert(1)</script>">x</a>', 'a data link'],
    ['<a href="//t.example/x">x</a>', 'a link of no protocol'],
    ['<form action="https://t.example"><input name=x><button>Go</button></form>', 'a form'],
    [
      '<iframe src="https://t.example"></iframe><object data="https://t.example"></object><embed src="https://t.example">',
      'frames',
    ],
    [
      '<link rel=stylesheet href="https://t.example"><base href="https://t.example"><meta http-equiv=refresh content="0;url=https://t.example">',
      'head matter',
    ],
    [
      '<video src="https://t.example" poster="https://t.example"></video><audio src="https://t.example">',
      'media',
    ],
    ['<p onmouseover="alert(1)">x</p>', 'a handler'],
    [
      '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
      'a mutation',
    ],
    ['<noscript><p title="</noscript><img src=x onerror=alert(1)>">', 'noscript'],
  ])('%s: no %s comes through', (html) => {
    const clean = safe(`<p>before</p>${html}<p>after</p>`)
    expect(clean).not.toMatch(
      /<(?:script|style|img|svg|form|input|button|iframe|object|embed|link|base|meta|video|audio|source|picture|math)\b/i,
    )
    expect(clean).not.toMatch(/t\.example|javascript:|data:|<[^>]*\son\w+=/i)
    expect(clean).toContain('before')
  })

  test('links open outside and tell nothing of where they were', () => {
    expect(safe('<a href="https://x.de/?a=1&b=2" rel="opener" target="_self" onclick="x">x</a>')).toBe(
      '<a href="https://x.de/?a=1&amp;b=2" rel="noopener noreferrer nofollow" target="_blank">x</a>',
    )
  })

  test('however broken, nothing but plain tags comes out', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.constantFrom(
              '<a href="https://x.de">',
              '<b>',
              '</b>',
              '<p',
              '>',
              '"',
              '&lt;',
              '&',
              '<!--',
              '-->',
              '<![CDATA[',
              ']]>',
              '<script>',
              '</a>',
            ),
            fc.string({ maxLength: 5 }),
          ),
          { maxLength: 30 },
        ),
        (pieces) => {
          const tag =
            /<\/?(?:p|b|a(?: href="https:\/\/x\.de")?(?: rel="noopener noreferrer nofollow" target="_blank")?)>/g
          expect(safe(pieces.join('')).replace(tag, '')).not.toMatch(/[<>]/)
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('time and size', () => {
  // Real time, as it is what an attacker is after. Without the bounds each of these takes minutes, or never ends.
  test.each<[string, string | null, string | null]>([
    ['a line that matches a date and nothing else', '2024from<'.repeat(22_000), null],
    ['the same, short', '2024from<'.repeat(220), null],
    ['short blank lines', `x${'\n'.repeat(1_990)}x`, null],
    ['the same in lines', `${'2024from<'.repeat(30)}\n`.repeat(700), null],
    ['attributions that never end', 'Op x schreef\n'.repeat(15_000), null],
    ['Chinese attributions', '在\n'.repeat(100_000), null],
    ['Danish ones', 'abc. x skrev \n'.repeat(14_000), null],
    ['blank lines', `${'\n'.repeat(200_000)}x`, null],
    ['spaces', `x${' '.repeat(200_000)}x`, null],
    ['substitutions that double the text', `${'On x $` '.repeat(40)}wrote:\n`.repeat(500), null],
    ['nested blocks', null, '<div>'.repeat(200_000)],
    ['nested tables', null, '<table><tr><td>'.repeat(60_000)],
    ['nested quotes', null, '<blockquote>x'.repeat(60_000)],
    ['attributes', null, `<a ${'x=y '.repeat(250_000)}>`],
    ['brackets', null, '<'.repeat(1_000_000)],
    ['comments', null, '<!--'.repeat(200_000)],
  ])('%s', { timeout: 30_000 }, (_, plain, html) => {
    const start = performance.now()
    const said = contentOf(plain, html)
    expect(performance.now() - start).toBeLessThan(15_000)
    expect(JSON.stringify(said).length).toBeLessThan(4_000_000)
  })

  test('what is too long is cut and says so; what cannot be read in time too', () => {
    const long = contentOf('word '.repeat(60_000), `<p>${'word '.repeat(300_000)}</p>`)
    expect(long.text).toMatch(/\n\n\[Cut: 100000 more characters\]$/)
    expect(long.html).toMatch(/<p>\[Cut here: too long\]<\/p>$/)
    expect(contentOf(null, '<b>x'.repeat(240_000)).text).toMatch(/^\[The HTML of this message|\[Cut/)
  }, 30_000)
})
