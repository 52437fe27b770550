import path from 'node:path'
import { csv } from '../../src/connectors/csv/index.ts'
import { mailchimp } from '../../src/connectors/mailchimp/index.ts'
import { stripe } from '../../src/connectors/stripe/index.ts'

export const ROOT = path.join(import.meta.dirname, '..', '..')
export const CONNECTORS = { csv, mailchimp, stripe }
