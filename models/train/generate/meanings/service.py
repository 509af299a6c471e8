"""The company: hours, contact, places, partners, and the meanings that belong to a trade's own procedures."""

BLOCK = """
@ opening_hours.when aligned
: (你们|门店|店里|)(几点|什么时候|啥时候)[开门|关门](|啊|呢)
: (营业时间|上班时间|工作时间|服务时间|客服时间)(是|)(几点到几点|什么时候|多少|)(|？)
: [周日|周六|周末|节假日|今天|春节](上班|营业|开门|有人|放假)(吗|不|么)
: (现在|这会儿|这个点)(还|)(营业|开门|上班|有人)(吗|没|不)
: (人工|客服|电话客服)(几点|什么时候)(上班|下班|在线)
> (when|what time) (do you|does the shop|does the office|does your store) [open|close](?|)
> (what|which) are your (opening|business|working|office) hours(?|)
> are you open [on Sunday|on Saturday|at weekends|on public holidays|today|over Chinese New Year](?|)
> (is the shop|is the office|are you) still open(?| now?|)
> when (are your agents|is support|is customer service) (available|online)(?|)

@ contact.phone aligned
: (你们|客服|公司|)(的|)(电话|热线|客服电话|联系电话)(是|)(多少|几号|什么)(|？|啊)
: (怎么|如何)(联系|联系到)(你们|客服|商家|售后)(|啊|呢)
: (客服电话|电话)(该|)打(哪个|哪个号|多少)(|啊)
: (有没有|有)[邮箱|微信|客服热线](吗|可以联系|)
: (打|拨|打了)(客服|你们)(电话|热线)(打不通|一直占线|没人接|打哪个)(，还有别的吗|，换个号码|)
> (what's|what is|can I have) your (phone number|hotline|contact number)(?|)
> (how|where) (can|do) I (contact|reach|email|call) you(?|)
> (which|what) number (should|can|do) I call(?|)
> (is there|do you have) [an email address|a WeChat account|a hotline]( for support|)(?|)
> (the hotline|your hotline|your phone line) is (always |)(busy|engaged|not answered)(, is there another number|)

@ location.where visit aligned
: (你们|门店|店|实体店|公司|网点)(在哪|在哪里|地址在哪|在什么位置|在哪儿|地址是什么)(|？|啊)
: {city}(有|有没有)(门店|实体店|网点|分店|营业厅)(吗|)
: (怎么|咋)(去|走|过去)(你们店|你们那|门店|网点)(，坐几号线|，地铁怎么走|)
: (附近|最近|离我最近)的(门店|网点|营业厅|分店)(在哪|怎么走|是哪个)
> where (are you|is your shop|is your office|is the nearest branch|is your store)( located|)(?|)
> (do you have|is there) (a shop|a store|a branch|an office) in {city}(?|)
> how (do|can) I get to (your shop|your office|the branch|your store)(?|)
> where is (the nearest|your nearest) (shop|store|branch|office)(| to me|?)
> (what's|what is) (your address|the address of your shop)(?|)

@ business_cooperation.any aligned
: (想|我想|我们想|希望)(跟你们|和你们|)(合作|谈合作|代理|加盟|做经销商|批发)(|，找谁|，联系谁|，怎么谈)
: (怎么|如何)(加盟|代理|合作|成为供应商|入驻|拿货)(|啊|你们品牌)
: (批发|团购|大量采购|公司采购|一次买一百件)(有|)(什么|)(优惠|价格|折扣)(吗|)
: (商务合作|市场合作|广告投放|媒体合作|异业合作|供应商)(找谁|联系谁|怎么联系|对接人是谁)
: (我是|我们是)(供应商|博主|公司采购|厂家|主播|媒体)(，|)(想谈合作|想合作|找你们商务|怎么对接)
> (I|we) (want|would like) to (work with you|become a (dealer|partner|supplier|distributor|reseller)|discuss a partnership)
> how (can|do) I (become|apply to be) (a dealer|a partner|a supplier|a reseller)(?|)
> (do you|can you) (offer|do|have) (wholesale|bulk prices|bulk discounts|a reseller programme|a franchise)(?|)
> who (should|can|do) I (contact|talk to) about (a partnership|business cooperation|advertising|a bulk order|wholesale)(?|)
> (we are|I am|I represent) (a supplier|a manufacturer|an influencer|a company) (and would|who would|and we'd) like to (cooperate|work with you)

@ service_request.want
: (我要|我想|想|帮我|麻烦帮我|需要){action}
: (可以|能|能不能|可不可以)(帮我|给我|){action}(吗|不|)
: (我来|过来)(是想|){action}(的|)
> (I want to|I'd like to|I need to|please help me|I would like to) {action}
> (can|could) you (please |)help me {action}(?|)
> (is it possible|would it be possible) to {action}(?|)

@ booking.new booking
: (我要|我想|帮我|麻烦)(预订|订|预约|约)(一{cl}|)({item})(，{date}|，{date}的|)
: {date}(还有|有没有|有)(空位|房|号|票|位子|名额)(吗|)
> (I want to|I'd like to|can I|please) (book|reserve) (a|an|the) {item} for {date}(?|)
> (is there|do you have) (anything|something|a place|a slot) (free|available) (on|for) {date}(?|)

@ booking.change booking
: (预订|预约|订单)(能|可以|想|帮我)(改到|改成|换到|推迟到){date}(吗|)
: (想|要|能不能)(把|)(预订|预约)(的|)(时间|日期)(改|换|往后推)(一下|到{date})(吗|)
> (can|could) (I|you) (change|move|reschedule) (my|the) (booking|reservation|appointment) to {date}(?|)
> I (want|need) to (change|move) the date of my (booking|reservation|appointment)

@ delivery.meal meal aligned
: (我的|){item}(到哪|到哪里)(了|啦)
: (都|)(等了|)(一个小时|四十分钟|半小时|快两小时)了(，|){item}(还没到|还没送来|怎么还不到)
: (骑手|外卖员|送餐的)[怎么不动了|不接电话|送错地方了]
> where is (my|the) {item}(?|)
> I've been waiting (an hour|40 minutes|half an hour) and (my|the) {item} (still isn't here|hasn't come)
> the (rider|driver) [isn't moving|isn't answering the phone|went to the wrong address]

@ wrong_item.meal meal aligned
: (少送|漏送|少|漏)了(一份|){item}
: {item}(送错|做错|给错)了(，|)(我要的|我点的|)(不是这个|是不加辣的|是大份)(|，怎么办)
> (you forgot|they forgot|there was no|I didn't get) (the|my) {item}
> (they|you) sent the wrong {item}(, what now|, I want a new one|)
"""
