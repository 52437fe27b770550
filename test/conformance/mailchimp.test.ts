import { mailchimpBench } from './mailchimp.bench.ts'
import { conformance } from './suite.ts'

conformance(mailchimpBench)
