/**
 * The entry of the rule `privateLabels` that a label or folder falls under; null where none does. Cases of letters do
 * not count, nor do the separators of folders: Gmail nests by "/", IMAP servers by "/", "." or "\". An entry is met
 * wherever it stands on the way to the folder: "Private/Family", "INBOX.Private" and "Work/Private" are all private.
 */
export function privateLabel(labels: readonly string[], entries: readonly string[]): string | null {
  const paths = labels.map(segments)
  return (
    entries.find((entry) => {
      const wanted = segments(entry)
      return wanted.length > 0 && paths.some((path) => contains(path, wanted))
    }) ?? null
  )
}

const segments = (label: string): readonly string[] =>
  label
    .normalize('NFKC')
    .toLowerCase()
    .split(/[/.\\]/)
    .map((part) => part.replace(/\s+/g, ' ').trim())
    .filter((part) => part !== '')

const contains = (path: readonly string[], wanted: readonly string[]): boolean =>
  path.some((_, start) => wanted.every((part, i) => path[start + i] === part))
