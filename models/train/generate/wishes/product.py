"""The goods themselves."""

BLOCK = """
@ stock.have goods
: {item}(还|)(有货|有现货|有|有库存)(吗|没|么|不)
: (这|那){cl}{item}(还|)(有|有货)(吗|没)
: {item}(什么时候|啥时候|几时)(补货|到货|有货|上架)
: {item}(怎么|)(下架|没货|断货|缺货|买不了)了(，|)(还|什么时候)(有|上|补)(吗|)
> (do you have|have you got) (the|this) {item} in stock(?|)
> (when|how soon) will (the|this) {item} be (back in stock|available again)(?|)
> (the|this) {item} (is|are) sold out, (will you restock|will there be more|when do you restock)(?|)

@ stock.colour goods
: {item}(还|)有{colour}(的|)(吗|没|么)
: {colour}(的|){item}(还|)(有货|有)(吗|没)
> (do you have|is there|have you got) (the|this) {item} in {colour}(?|)
> is (the|this) {item} (available|in stock) in {colour}(?|)

@ stock.size sized
: {item}(还|)有{size}(码|号)(的|)(吗|没|么)
: {size}(码|号)(的|){item}(还|)(有货|有)(吗|没)
> (do you have|have you got) (the|this) {item} in (size |a size |){size}(?|)
> is (the|this) {item} available in size {size}(?|)

@ size.which sized
: (身高|我)(一米七|172|165|180|158)(，|)(体重|)(一百二|65公斤|50kg|140斤|55kg)(，|)(穿|选|买)(多大|什么码|几码|啥码)(合适|好|)
: {item}(穿|选|买|拿)(多大|什么码|几码|哪个码)(合适|好|)
: {item}(偏|是偏)(大|小)(吗|还是正常|还是标准码)
: {item}(尺码|码数)(准|标准|正|偏大偏小)(吗|不|怎么样)
: (平时|一般)(穿|买)(L|M|S|38|42|170)(码|的|)，(你家|这款)(该|)(选|穿|买)(哪个|什么码|多大)
> (I'm|I am) (170 cm|5 foot 6|180 cm|6 feet) (and|,) (60 kg|130 lbs|75 kg|150 lbs), (what|which) size (should I get|do I need|fits me)(?|)
> (what|which) size (should I get|do I need|would fit me) (in|for) the {item}(?|)
> (does|do) the {item} run (small|large|true to size)(?|)
> I (usually|normally) wear (an M|a 38|size L|a 42), (what|which) size (should I take|do I take in this)(?|)

@ size.dimensions goods big
: {item}(的|)(尺寸|大小|长宽高|规格)(是|)(多少|多大)
: {item}(有|)(多长|多宽|多高|多大)
> (what are|can you tell me) the (dimensions|measurements) of the {item}(?|)
> how (big|long|wide|tall) (is|are) the {item}(?|)

@ product_info.material goods -food
: {item}(是|)(什么|啥)(材质|料子|材料|做的)(的|)
: {item}(含|有)(甲醛|酒精|荧光剂|塑料味)(吗|不)
: {item}(掉色|起球|缩水|褪色|有味道|容易坏)(吗|不)
> what (is|are) the {item} made of(?|)
> (what|which) material (is|are) the {item}(?|)
> (does|do|will) the {item} (fade|shrink|smell|scratch easily)(?|)

@ product_info.difference goods tech
: {item}(的|)(新款|升级版|pro版|大号)(和|跟)(旧款|普通版|标准版|小号)(有|)(什么|啥)(区别|不一样|不同)
: (这两款|这两个|这俩){item}(有|)(什么|啥)(区别|不同|差别)
> (what's|what is) the difference between (the|these) two {item} models(?|)
> (what's|what is) the difference between the (new|pro|large) and the (old|standard|small) version of the {item}(?|)

@ product_info.spec tech goods
: {item}(的|)(电池|续航|待机|功率|耗电)(多大|多久|怎么样|多少)
: {item}(支持|能连|兼容|能用)(蓝牙|WiFi|苹果手机|安卓|220V)(吗|不)
: {item}(防水|有噪音|声音大|费电|能调亮度)(吗|不|么)
> (what's|what is|how good is) the (battery life|power|capacity) of the {item}(?|)
> (does|do) the {item} (work with|support|connect to) (bluetooth|WiFi|iPhone|Android|220V)(?|)
> (is|are) the {item} (waterproof|noisy|loud)(?|)

@ product_info.food food goods
: {item}(保质期|最佳赏味期)(多久|是多久|到什么时候|有多长)
: {item}(是|)(哪里|哪儿|什么地方)(产的|的|来的|发货)
: {item}(甜|新鲜|好吃|熟)(吗|不|不甜)
> (what's|what is) the (best-before date|shelf life) of the {item}(?|)
> where (do|are|is) the {item} (come from|from)(?|)
> (is|are) the {item} (sweet|fresh|ripe)(?|)

@ authenticity.real goods -food
: {item}(是|)(正品|真的|真货|原装|行货)(吗|不|么|还是仿的)
: (你们|你家)(卖的|的东西|)(是|)(正品|真货|假货)(吗|吧|还是假货)
: (怎么|如何|在哪)(验|辨别|验证|鉴定)(真假|真伪|是不是正品)
: (保证|保|)(正品|真品)(吗|不)(，|)(假一赔十|假一赔三|有授权书)(吗|)
: (怀疑|感觉|觉得)(收到的|买的|)({item}|东西)(是|)(假的|假货|仿的|高仿)
> (is|are) the {item} (genuine|authentic|real|original|fake)(?|)
> (are|is) (your products|this|these|everything you sell) (genuine|authentic|real|original)(?|)
> how (do|can) I (check|tell|verify) (if|that|whether) it's (genuine|authentic|real|original)(?|)
> I think the {item} (I got|you sent) (is|are) (fake|a fake|counterfeit)

@ how_to_use.item goods -food
: {item}(怎么|如何|咋)(用|使用|安装|弄|操作)(|啊|呢)
: {item}(有|)(说明书|使用教程|安装视频|教程)(吗|么|发我一份)
: (不会|不知道|搞不懂)(怎么|)(用|使用|装|安装)({item}|这{cl}{item})(，|)(教教我|有教程吗|)
> how (do|can) I (use|set up|assemble|install) (the|my|this) {item}(?|)
> (do you have|is there) (a manual|instructions|a video|a guide) for the {item}(?|)
> I (don't know|can't figure out|have no idea) how to (use|set up|install) the {item}

@ how_to_use.feature tech
: (这个|那个|你们的)(功能|按钮|软件|系统|app|小程序)(怎么|如何|咋)(用|使用|打开|设置)
: (有|有没有)(使用教程|操作手册|新手教程|帮助文档)(吗|)
: {item}(怎么|如何)(连|连接|绑定|配对|设置|重启)(手机|WiFi|蓝牙|)
> how (do|does) (this|that|the) (feature|app|button|software) work(?|)
> (is there|do you have|where is) (a tutorial|a manual|a user guide|documentation)(?|)
> how (do|can) I (connect|pair|set up|restart) (the|my) {item}(?| with my phone?|)

@ how_to_use.care goods -food
: {item}(怎么|如何)(保养|清洁|清洗|存放|打理)
: {item}(可以|能)(用水洗|机洗|放洗衣机|水洗|用酒精擦)(吗|不)
> how (do|should) I (clean|store|care for|look after|maintain) (the|my) {item}(?|)
> (can|may) I (wash|wipe) the {item} (with water|with alcohol|in the machine)(?|)

@ recommendation.which goods
: (推荐|给我推荐|帮我推荐|求推荐)(一款|一{cl}|几款|个)(好用的|性价比高的|适合我的|){item}
: (哪款|哪个|哪种|什么样的){item}(好|比较好|适合我|性价比高|最好)
: (送|买给)(女朋友|妈妈|爸爸|老师|小孩|客户|老人)(，|)(选|买|推荐)(哪款|什么样的|什么){item}(好|)
: (预算|)({amount})(左右|以内|)(，|)(推荐|有什么|买|能买到)(什么|哪款|好点的|){item}
> (can|could) you (recommend|suggest) (a good|a|some) {item}(?| for me?|)
> which {item} (is best|do you recommend|would suit me|is the most popular)(?|)
> which {item} (is|are) a good (gift|present) for (my girlfriend|my mum|my dad|a teacher|a child|a client)(?|)
> (what|which) {item} (can I get|do you recommend) for (about |around |under |){amount}(?|)

@ recommendation.any shop
: (有什么|有啥|有没有)(推荐|好推荐|热销的|卖得好的|新品)(吗|的|)
: (不知道|纠结)(选|买)(哪个|什么)(好|)，(帮我选|你推荐一下|给点建议)
> (what|anything) (do you recommend|would you recommend|sells best|is popular)(?|)
> I (can't decide|don't know what to buy|don't know which one to choose), (any suggestions|help me choose|what do you suggest)(?|)
"""
