"""From the basket to the door."""

BLOCK = """
@ order_status.shipped goods
: (我|)(买的|订的|拍的|)(那|这|){cl}{item}(发货|发出|寄出)(了吗|了没|没有|了没有|了么)
: (我的|)(订单|货|东西)(发货|发出|寄出)(了吗|了没|没有|了没有)
: {item}(什么时候|啥时候|几时|多久|哪天)(能|才能|可以|)(发货|发出|寄出)
: (订单|单号){order}(发货|发出)(了吗|了没|没)
: {ago}(下的单|下单的|拍的|付的款)(，|)(怎么|)(还没|到现在没|一直没)发货(呢|啊|？|)
> (has my {item} been shipped|has the {item} shipped|did my {item} ship)( yet|)(?|)
> (has my order been shipped|has my stuff shipped|did my package ship)( yet|)(?|)
> when (will|are you going to|do you) (ship|send|dispatch) (my|the) {item}(?|)
> (has|is) order {order} (been shipped|shipped|been sent out|dispatched)(?|)
> I ordered {ago} (and|but) (it still hasn't|it hasn't|nothing has) (shipped|been sent|been dispatched)( yet|)

@ order_status.find goods
: (怎么|在哪|哪里)(查|看|查看|查询)(我的|)(订单|订单状态|下单记录)
: (帮我|麻烦|请)(查|看)(一下|下)(我的|)订单(|{order})(是|)(什么|)(状态|到哪一步了)
: (订单|下的单)(怎么|)(不见了|找不到了|查不到|没显示)
> (where|how) (can|do) I (see|check|find) my (order|orders|order status)(?|)
> (can|could) you (check|look up) (the status of |)my order(| {order})(?|)
> (I can't find|I don't see|where is) my order( in my account| in the app|)(?|)

@ order_status.placed goods aligned
: (我|)(下单|付款|支付)(成功|)(了|了吗)(，|)(怎么|)(没收到|没有)(确认|短信|通知|订单信息)
: (不知道|想确认)(我的|)(单|订单)(下|提交)(成功|好)(没有|了没|了吗)
> I (paid|ordered) but (got|received) no confirmation( email| message|)
> (did my order go through|has my order been placed|did you get my order)(?|)

@ delivery.where goods
: (我的|)(快递|包裹|货|东西)(到哪|到哪里|到哪儿|走到哪)(了|啦)(|？|啊)
: (我|)(买的|订的|){item}(到哪|到哪里|走到哪)(了|啦)
: (帮我|麻烦)(查|看)(一下|下)(快递|物流|包裹)(到哪了|的位置|)
: (单号|快递单号|运单)(|是|：){order}(，|)(帮查下|现在到哪了|到哪儿了|查不到物流)
: {item}的(快递|物流)(到哪了|到哪儿了|现在在哪)
> where is my (package|parcel|order|delivery|shipment)( now|)(?|)
> where is (my|the) {item}(| right now| at the moment)(?|)
> (can|could) you (track|trace) my (parcel|package|order)(?|)
> (tracking number|tracking) {order}(,|:) (where is it|any update|it shows nothing)(?|)
> (what's|what is) the (delivery|tracking) status of (my|the) {item}(?|)

@ delivery.when goods aligned
: (我的|)(快递|包裹|东西|货)(什么时候|几号|哪天|多久|啥时候)(能|才能|可以|)到
: {item}(什么时候|几号|哪天|啥时候)(能|才能|会|)(到|送到|收到)
: (寄|发|送)到{city}(要|得|大概)(几天|多久|多长时间)
: [今天|明天|周末](能|会)(送到|到货|到)(吗|不)
: {item}(到|发到){city}(要|得)(几天|多久)
> when (will|does|should) (my|the) (package|parcel|order|delivery) (arrive|get here|be delivered)(?|)
> when (will|does|should) (my|the) {item} (arrive|get here|be delivered)(?|)
> how long (does|will) (delivery|shipping) to {city} take(?|)
> will it (arrive|be here|be delivered) [today|tomorrow|this weekend](?|)
> how long does it take to (send|ship|deliver) the {item} to {city}(?|)

@ delivery.late goods
: (都|已经|这都){days}了(，|)(快递|包裹|东西|货)(还没|怎么还没|还不)到
: (物流|快递信息|包裹)(好几天|一直|都{days})(不动|没更新|不更新|卡住)了
: {item}(都|已经){days}了(还没|怎么还没|都没)(到|收到|送来)
: (快递|物流|送货)(也太|太|怎么这么)慢了(吧|)
> it's been {days} and my (package|order|parcel) (still hasn't|hasn't) (arrived|come|shown up)
> (the tracking|my parcel|the package) hasn't (moved|been updated) (for|in) {days}
> it's been {days} and the {item} (still hasn't|hasn't) (arrived|come|been delivered)
> (delivery|shipping) is (so|too|really|far too) slow

@ delivery.signed goods
: (物流|快递|系统)(显示|说)(已|)签收(了|)(，|但|可)(我|根本)(没收到|没拿到|没见到)(东西|货|)
: (谁|不知道谁|是谁)(签收|签|拿走)了我的(快递|包裹)
: {item}(显示签收|显示已签收|说已送达)(，|但|可是)我(没收到|没拿到)
> (it says|tracking says|the app says) (delivered|signed for) but I (never got it|haven't received anything|don't have it)
> who signed for my (package|parcel)(?|)
> the {item} (shows|is marked) as delivered but I (never got it|don't have it|haven't received it)

@ shipping_terms.fee goods aligned
: (运费|邮费|快递费)(多少|怎么算|是多少|几块|要多少钱)(|？|啊)
: (包邮|免邮|免运费)(吗|不|么|嘛)
: (满多少|买多少|几件)(包邮|免运费|免邮)
: (寄|发|送)到{city}(要|的)(邮费|运费)(吗|多少|多少钱)
: {item}(包邮|免邮费)(吗|不|么)
> how much (is|does) (shipping|delivery|postage)( cost|)(?|)
> is (shipping|delivery) (free|included)(?|)
> (how much do I have to|what do I need to) (spend|order) for free (shipping|delivery)(?|)
> how much (is|does) (shipping|delivery) to {city}( cost|)(?|)
> is (shipping|delivery) free for the {item}(?|)

@ shipping_terms.carrier goods
: (发|用|走|寄)(什么|哪家|啥)快递(|呢|啊)
: (能|可以|能不能|可不可以)(发|指定|走|用){carrier}(吗|快递|不|)
: (默认|一般)(发|用)(哪家|什么)(快递|物流)
> (which|what) (courier|carrier|delivery company) do you (use|ship with)(?|)
> (can|could) you (ship|send) (it|this) (by|with|via) {carrier}(?|)

@ shipping_terms.area goods aligned
: (能|可以|支持)(寄|发|送|配送)到{city}(吗|不|么)
: {city}(能|可以|)(送|发货|配送|到)(吗|不)
: (支持|能)[寄国外|海外发货|送到农村](吗|不)
> (do|can) you (ship|deliver|send) to {city}(?|)
> is delivery to {city} (possible|available)(?|)
> do you (ship|deliver) [abroad|overseas|to rural areas](?|)

@ change_address.change goods aligned
: (地址|收货地址|收件地址)(写错|填错|弄错|选错)了(，|)(能改吗|怎么改|帮我改一下|可以改不)
: (我要|我想|帮我|麻烦|能不能|可以)(改|修改|换|更改)(一下|下|个|)(收货|收件|送货|)地址(吗|)
: (改成|改|帮我改)(寄|发|送)到{city}(，|)(别寄|不要寄|不寄)(老地址|原来的地址)了
: (订单|单号){order}(的|)(地址|收货地址)(能改|改一下|想改|要换)(吗|)
: (搬家了|换地方住了|公司搬了)(，|)(收货地址|订单地址)(要改|怎么换|改一下)
> (I|we) (entered|put|typed|gave) the wrong (address|delivery address)(, can you change it|, please change it|. how do I fix it|)
> (can|could|how do|may) I change (the|my) (delivery |shipping |)address(?| of my order| on my order|)
> please (send|ship|deliver) it to {city} (instead|, not to the old address)
> (change|please change|I want to change|update) the address (of|on|for) order {order}
> (I moved|I've moved|we moved), (please change|I need to change|can you update) the (delivery|shipping) address

@ change_address.phone goods
: (收货|收件|订单上的|联系)(电话|手机号|人)(写错|填错|留错)了(|，能改吗|，帮忙改下|，怎么改)
: (改|换|修改)(一下|下|)(收货人|收件人|收货电话|收件人电话)
> the (phone number|name|recipient) on (my|the) order is wrong(|, please change it|, can you fix it)
> (change|update|correct) the (recipient|recipient's phone|recipient's name)( please| on my order|)

@ change_order.colour goods
: (订单|单子|我的|)(颜色|款式)(选错|拍错|买错)了(，|)(能换成|想改成|帮我改成|改成){colour}(吗|的|)
: (还没发货|没发货|趁没发货)(的话|)(，|)(帮我|能|可以)(换成|改成|改){colour}(吗|的|)
: {item}(帮我|能|可以|想)(改成|换成){colour}(的|)(吗|)(，还没发货|)
> I (chose|picked|ordered) the wrong colour, (can you change it to|please make it|I want) {colour}
> (before it ships|if it hasn't shipped|it hasn't shipped yet), (can you|please|could you) (change|switch) it to {colour}
> (can|could) you change my {item} to {colour}( before it ships|)(?|)

@ change_order.amount goods aligned
: (订单|)(数量|件数)(写错|拍错|买错|下错)了(，|)(能改吗|想改一下|帮我改一下)
: (能|可以|帮我)(再加|加|多加|减)(一件|一个|{qty})(到|在)(这个|刚才的|原来的)(订单|单)(里|上)(吗|)
: (两个|这两个|我的两个)订单(能|可以|帮我)(合并|一起发|合成一个)(吗|)
> I ordered the wrong (quantity|amount|number), (can I|please|I'd like to) change it
> (can|could) (I|you) add (one more|another one|{qty} more) to (my|the|that) order(?|)
> (can|could) you (combine|merge) my two orders(| and ship them together)(?|)

@ cancel_order.cancel goods
: (我要|我想|帮我|麻烦|能不能|可以)(取消|撤销)(一下|)(订单|这个订单|刚下的单|我的订单)(吗|)
: (不想要|不要|不买)了(，|)(取消|帮我取消|怎么取消)(订单|)
: (怎么|如何|在哪)取消(订单|这个单|刚下的单)
: (取消|帮我取消)(订单|单号){order}
: (拍错|买错|下错单|重复下单|多拍了一单)了(，|)(取消|帮我取消|怎么取消)(一下|)
: (取消|不要了|别发了|别发货了)(，|)({item}|那{cl}{item})(不要了|我不买了|取消)
> (I want to|I'd like to|please|can you|can I|could you) cancel (my|the|this) order(?|)
> (cancel|please cancel|I need to cancel) order {order}
> (I don't want it anymore|I changed my mind|I ordered by mistake|I ordered twice), (please |)cancel (it|the order|one)
> how (do|can) I cancel (my|an|the) order(?|)
> please (don't send|don't ship|cancel) the {item}(|, I don't want it anymore)

@ cancel_order.booking booking
: (我要|我想|帮我|能不能)(取消|退掉)(预订|预约|我的预订|{date}的预订|{date}的预约)(吗|)
: (去不了|来不了|行程变了|临时有事)(，|)(预订|预约)(能取消|怎么取消|取消一下|帮我取消)(吗|)
> (I want to|I'd like to|please|can I) cancel (my|the) (booking|reservation)( for {date}|)
> (I can't make it|my plans changed|something came up), (please cancel|can I cancel|how do I cancel) (my|the) (booking|reservation)
"""
