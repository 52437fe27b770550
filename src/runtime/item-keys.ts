/** A question about one lens of a link. */
export const conflictKey = (linkId: number, lens: string): string => `conflict:${linkId}:${lens}`

type WriteOf = { readonly linkId: number; readonly op: string }
export const uncertainKey = ({ linkId, op }: WriteOf): string => `uncertain:${linkId}:${op}`
export const rejectedKey = ({ linkId, op }: WriteOf): string => `rejected:${linkId}:${op}`

/** Every refusal of a link's writes: none matters once nothing is left to send. */
export const rejectedKeys = (linkId: number): readonly string[] =>
  ['create', 'update', 'archive', 'consent'].map((op) => rejectedKey({ linkId, op }))
