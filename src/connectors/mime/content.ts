import { convert } from 'html-to-text'
import sanitizeHtml from 'sanitize-html'
import { cleanText, cutAt } from './clean.ts'
import { splitReply, type Split } from './reply.ts'
import { within } from './watchdog.ts'

export type Content = Split & { readonly html: string | null }

/** Characters. What is longer is cut, and says so: nobody reads on, and every library has its worst input. */
const LONGEST_TEXT = 200_000
const LONGEST_HTML = 1_000_000
const RENDER_MS = 2_000
/** Up to this length the worst HTML known takes a tenth of a second or two, and needs no watch, whose thread costs more. */
const HARMLESS_HTML = 50_000
const watchFor = (html: string): number | null => (html.length <= HARMLESS_HTML ? null : RENDER_MS)

/**
 * The parts of a message's body, from its plain text, its HTML, or both. The text is the plain one where there is one,
 * else what the sanitised HTML reads like. Neither is left out in silence: where HTML cannot be read in time, or
 * something was cut, the text says so.
 */
export function contentOf(text: string | null, html: string | null): Content {
  const page = html === null || html.trim() === '' ? null : cleanText(html.slice(0, LONGEST_HTML))
  const safe = page === null ? null : safeHtml(page)
  const plain = text === null || text.trim() === '' ? null : text
  const read = plain ?? (page === null ? null : safe === null ? UNREADABLE : textOfHtml(safe))
  const split = read === null ? NO_TEXT : splitReply(cleanText(read.slice(0, LONGEST_TEXT)).trim())
  const missing = (read?.length ?? 0) - LONGEST_TEXT
  const isHtmlCut = (html?.length ?? 0) > LONGEST_HTML
  const notes = [
    ...(missing > 0 ? [`[Cut: ${missing} more characters]`] : []),
    ...(plain === null && isHtmlCut ? ['[Cut: the HTML of this message is too long]'] : []),
  ]
  return {
    ...split,
    text: [...(split.text === null ? [] : [split.text]), ...notes].join('\n\n') || null,
    html: safe === null || safe === '' ? null : isHtmlCut ? `${safe}<p>[Cut here: too long]</p>` : safe,
  }
}

const NO_TEXT: Split = { text: null, quoted: null, signature: null }
const UNREADABLE = '[The HTML of this message could not be read in time]'

/** `html` is sanitised already: not nested so deeply that the converter takes for ever. */
function textOfHtml(html: string): string {
  return within<string>(
    watchFor(html),
    () =>
      convert(html, {
        wordwrap: false,
        limits: { maxDepth: 200, maxChildNodes: 50_000 },
        selectors: [
          { selector: 'a', options: { ignoreHref: true } },
          { selector: 'img', format: 'skip' },
          ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({
            selector,
            options: { uppercase: false },
          })),
        ],
      }),
    () => UNREADABLE,
  )
}

/**
 * HTML that is safe to show, of the tags that sanitize-html allows by itself: no script, style, form or frame, and no
 * image. Remote ones tell the sender that and when the mail was read, attached ones are not stored. Links lead out only
 * by http, https, mailto and tel.
 */
function safeHtml(html: string): string | null {
  const clean = within<string | null>(
    watchFor(html),
    () =>
      sanitizeHtml(html, {
        allowedAttributes: {
          a: ['href', 'rel', 'target'],
          td: ['colspan', 'rowspan'],
          th: ['colspan', 'rowspan'],
        },
        allowedSchemes: ['http', 'https', 'mailto', 'tel'],
        allowProtocolRelative: false,
        nonTextTags: [
          'script',
          'style',
          'textarea',
          'option',
          'noscript',
          'title',
          'template',
          'select',
          'object',
        ],
        nestingLimit: 100,
        transformTags: {
          a: sanitizeHtml.simpleTransform('a', { rel: 'noopener noreferrer nofollow', target: '_blank' }),
        },
      }),
    () => null,
  )
  return clean === null ? null : cutAt(cleanText(clean).trim(), LONGEST_HTML)
}
