/** Names that Graph reads in any case. */
const NAMES = [
  'me',
  'users',
  'mailFolders',
  'childFolders',
  'messages',
  'delta',
  'attachments',
  'contacts',
  'contactFolders',
  'subscriptions',
  'reauthorize',
  'move',
]
const CANONICAL = new Map(NAMES.map((name) => [name.toLowerCase(), name]))

/** One of the ways to write a path: `users('a')` is `users/a`, `delta()` and `microsoft.graph.delta` are `delta`. */
export function normalPath(path: string): string {
  return path
    .replaceAll('%27', "'")
    .replaceAll('%28', '(')
    .replaceAll('%29', ')')
    .replaceAll(/\/(\w+)\('([^']*)'\)/g, '/$1/$2')
    .replaceAll(/\/(?:microsoft\.graph\.)?delta(?:\(\))?(?=$|\/)/gi, '/delta')
    .split('/')
    .map((part) => CANONICAL.get(part.toLowerCase()) ?? part)
    .join('/')
}
