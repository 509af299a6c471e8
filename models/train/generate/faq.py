"""FAQ-like questions: one question kind per block, over every trade's actions and terms. Notation of `grammar.read_wishes`."""

from .grammar import Meaning, read_meanings

BLOCK = """
@ faq.how
: (怎么|如何|咋|怎样){action}(|？|啊|呢)
: {action}(怎么|咋|如何)(弄|办|操作|办理)(|？|啊)
: {action}(的|)(流程|步骤|方法)(是什么|是怎样的|是啥|有哪些)(|？)
: (在哪里|在哪|从哪里|在哪儿)(可以|能|){action}(|？|啊)
: (想|我想|要|需要){action}(，|)(怎么弄|该怎么办|要怎么操作|怎么搞)(|？)
: (有人知道|教教我|告诉我)(怎么|如何){action}(吗|)
> (how do|how can|how should) I {action}(?|)
> (what's|what is) the (process|procedure|way) to {action}(?|)
> (what are the|which) steps (do I follow |)to {action}(?|)
> where (can|do) I {action}(?|)
> (can you|could you) (tell me|explain|show me) how to {action}(?|)
> (I need|I want) to {action}, (what do I do|how does it work|where do I start)(?|)

@ faq.needs
: {action}(需要|要)(带|准备|提供|提交|)(什么|哪些|啥)(材料|资料|证件|东西)(|？|啊)
: {action}要(什么|哪些)(手续|证件|材料)(|？)
: (需要|要)(准备|带|提供)(什么|哪些)(材料|证件)(才能|才可以){action}(|？)
: {action}(要|需要|用)(身份证|户口本|原件|复印件)(吗|不)
> what (documents|papers) do I need to {action}(?|)
> (which|what) (documents|paperwork) (is|are) (needed|required) to {action}(?|)
> do I need (my ID card|my ID|the original documents|proof of address) to {action}(?|)
> what (should|do) I (bring|prepare|have ready) (if I want |)to {action}(?|)

@ faq.duration
: {action}(要|需要|得)(多久|几天|多长时间|几个工作日)(|？|啊)
: {action}(多久|几天)(能|可以|才能)(办好|好|完成|弄好|生效)(|？)
> how long does it take to {action}(?|)
> (how many days does it take|how long do I have to wait) to {action}(?|)
> how (soon|quickly|fast) can I {action}(?|)

@ faq.fee
: {action}(要|需要|)(钱|收费|收钱|手续费)(吗|不|么)
: {action}(要|得|需要)(多少钱|多少费用|多少手续费|交多少钱)(|？|啊)
: {action}(是|)(免费|收费)(的|)(吗|么)
: {action}(的|)(费用|收费标准|手续费)(是|)(多少|怎么算|什么)(|？)
> (is there a fee|do I have to pay|does it cost anything|do you charge) to {action}(?|)
> how much does it cost to {action}(?|)
> (what's|what is) the (fee|charge|cost) to {action}(?|)
> is it free to {action}(?|)

@ faq.online
: (能|可以|能不能|可不可以)(在|)(网上|手机上|线上|小程序上|app上){action}(吗|不|么|)
: {action}(能|可以)(在网上|线上|手机上|不去现场)(办|办理|弄|操作)(吗|不|)
: {action}(必须|一定要|需要)(本人|)(去|到)(现场|柜台|门店|窗口)(吗|办吗|)
> (can I|is it possible to) {action} (online|on my phone|in the app|over the internet)(?|)
> do I have to (come in|go there|come|visit you) (in person |)to {action}(?|)
> is there (a way|an app|a website) to {action} (without coming in|online|from home)(?|)

@ faq.who
: (谁|什么人|哪些人)(可以|能|有资格){action}(|？)
: {action}(有|需要)(什么|哪些)(条件|要求|限制)(|？|啊)
: (我|外地人|外国人|未成年人|学生|老人)(可以|能|符合条件){action}(吗|不|么)
: (满足|符合)(什么|哪些)条件(才能|可以){action}(|？)
> who can {action}(?|)
> (what are the conditions|what are the requirements|what conditions must I meet) to {action}(?|)
> (am I|are foreigners|are students|are minors) (allowed|eligible) to {action}(?|)
> (is there any restriction|are there any restrictions|are there any limits) (if I want |)to {action}(?|)

@ faq.behalf
: (可以|能|能不能)(代|帮|替)(别人|家人|我妈|老公|同事){action}(吗|不|)
: (本人不在|本人来不了|我在外地)(，|)(能|可以)(让别人|找人|让家人){action}(吗|)
> can (someone else|my husband|my mother|a colleague|somebody) {action} for me(?|)
> (I can't come|I'm not in town|I'm abroad), can (someone|a relative|a friend) {action} for me(?|)

@ faq.deadline
: {action}(有|)(时间限制|截止时间|期限)(吗|么|是什么时候)
: (什么时候|最晚什么时候|几号之前|截止到什么时候)(可以|能|要|){action}(|？)
: {action}(最晚|最迟)(到|)(什么时候|几号|哪天)(|？)
> (what's|what is|when is) the (deadline|last day|time limit) to {action}(?|)
> (by when do I have to|until when can I|how late can I) {action}(?|)
> is there a (deadline|time limit) (if I want |)to {action}(?|)

@ faq.fail
: (为什么|怎么)(不能|没办法|无法|不让我){action}(|？|啊)
: {action}(失败|没成功|不成功|一直报错|被拒绝)(了|)(|，)(怎么回事|怎么办|为什么|什么原因)
: (一直|怎么都|总是)(没办法|没法|不能){action}(，|)(急|怎么办|求助|)
> why (can't I|am I not able to|am I not allowed to) {action}(?|)
> I (can't|am unable to|tried but couldn't) {action}(, what's wrong|, what should I do|, please help|)
> (it|the app) (won't|doesn't|will not) let me {action}(, why|, what now|)

@ faq.result
: {action}(之后|以后|完)(多久|什么时候)(生效|有结果|能看到)(|？)
: (在哪|怎么|哪里)(能|可以|)(查|看)(到|){action}(的|)(进度|结果)(|？)
: (申请|提交)了{action}(，|)(到哪一步了|怎么还没结果|现在什么进度)(|？)
> (where|how) can I (check|see) (whether|if) my request to {action} (went through|was accepted|is done)(?|)
> I (asked|applied) to {action}, (what's the status|is there any news|how far is it)(?|)

@ faq.definition
: (什么是|啥是|什么叫|解释下){term}(|？|啊)
: {term}(是什么意思|是什么|是啥|啥意思|指的是什么)(|？|啊)
: (不太懂|没看懂|请问){term}(是什么|是什么意思|指什么)(|？)
> what is {term}(?|)
> (what does {term} mean|what do you mean by {term}|can you explain {term})(?|)
> I don't (understand|know) what {term} (is|means)

@ faq.term_rule
: {term}(怎么算|怎么定的|是多少|有什么规定)(|？|啊)
: {term}(的|)(规则|规定|要求)(是什么|有哪些|在哪看)(|？)
> what are the rules (for|on|about) {term}(?|)
> how is {term} (decided|worked out|set)(?|)
> where (can|do) I (find|read) (about|more about|the rules on) {term}(?|)
"""
FAQ: list[Meaning] = read_meanings(BLOCK)
