import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { describeKind, KINDS } from '../../src/runtime/inbox/kinds.ts'

const page = readFileSync(path.join(import.meta.dirname, '..', '..', 'docs', 'inbox.md'), 'utf8')

test.each(Object.entries(KINDS))('docs/inbox.md tells of "%s" what the hub tells of it', (kind, info) => {
  const heading = describeKind(kind)
  const section = page
    .split(`### ${heading.charAt(0).toUpperCase()}${heading.slice(1)}\n`)[1]
    ?.split('\n##')[0]
  expect(section).toContain(`${info.what} ${info.why} It closes by itself ${info.closes}.`)
  const commands = [...(section ?? '').matchAll(/^\| `concord inbox (.+)` \|/gm)].map((found) =>
    found[1]?.replaceAll('\\|', '|'),
  )
  expect(commands).toEqual(info.actions.map((action) => action.command))
})
