import { gmailMailBench } from './gmail-mail.bench.ts'
import { mailConformance } from './mail-suite.ts'

mailConformance(gmailMailBench)
