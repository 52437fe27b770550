import path from 'node:path'
import { csv } from '../../src/connectors/csv/index.ts'
import { gmail } from '../../src/connectors/gmail/index.ts'
import { imap } from '../../src/connectors/imap/index.ts'
import { mailchimp } from '../../src/connectors/mailchimp/index.ts'
import { outlook } from '../../src/connectors/outlook/index.ts'
import { stripe } from '../../src/connectors/stripe/index.ts'

export const ROOT = path.join(import.meta.dirname, '..', '..')
export const CONNECTORS = { csv, gmail, imap, mailchimp, outlook, stripe }
