"""The goods themselves."""

BLOCK = """
@ stock.have goods aligned
: {item}(还|)(有货|有现货|有|有库存)(吗|没|么|不)
: {item}(什么时候|啥时候|几时)(补货|到货|有货|上架)
: {item}(怎么|)(下架|没货|断货|缺货|买不了)了(，|)(还|什么时候)(有|上|补)(吗|)
: (这|那){cl}{item}(还|)(有|有货)(吗|没)
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

@ size.which sized aligned
: (身高|我)[一米七|165|180](，|)(体重|)[120斤|65公斤|75公斤](，|)(穿|选|买)(多大|什么码|几码|啥码)(合适|好|)
: {item}(穿|选|买|拿)(多大|什么码|几码|哪个码)(合适|好|)
: {item}(尺码|码数)(准|标准|正|偏大还是偏小)(吗|不|)
: (平时|一般)(穿|买)[M|38|L](码|的|)，(你家|这款)(该|)(选|穿|买)(哪个|什么码|多大)
> (I'm|I am) [170 cm|165 cm|180 cm] and [60 kg|65 kg|75 kg], (what|which) size (should I get|do I need|fits me)(?|)
> (what|which) size (should I get|do I need|would fit me) (in|for) the {item}(?|)
> (does|do) the {item} run (small|large|true to size)(?|)
> I (usually|normally) wear [an M|a 38|size L], (what|which) size (should I take|do I take in this)(?|)

@ size.dimensions goods big
: {item}(的|)(尺寸|大小|长宽高|规格)(是|)(多少|多大)
: {item}(有|)(多长|多宽|多高|多大)
> (what are|can you tell me) the (dimensions|measurements) of the {item}(?|)
> how (big|long|wide|tall) (is|are) the {item}(?|)

@ product_info.material goods -food aligned
: {item}(是|)(什么|啥)(材质|料子|材料|做的)(的|)
: {item}(有多重|重不重|多重)
: {item}[掉色|缩水|有味道|容易刮花](吗|不)
> what (is|are) the {item} made of(?|)
> how heavy (is|are) the {item}(?|)
> (does|do|will) the {item} [fade|shrink|smell|scratch easily](?|)

@ product_info.difference goods tech aligned
: {item}(的|)[新款和旧款|Pro版和标准版|大号和小号](有|)(什么|啥)(区别|不一样|不同)
: (这两款|这两个|这俩){item}(有|)(什么|啥)(区别|不同|差别)
> (what's|what is) the difference between the [new and the old|Pro and the standard|large and the small] version of the {item}(?|)
> (what's|what is) the difference between (the|these) two {item} models(?|)

@ product_info.spec tech goods aligned
: {item}(的|)[续航怎么样|功率多大|容量多大]
: {item}(支持|能连|能用)[蓝牙|WiFi|苹果手机|安卓手机](吗|不)
: {item}[防水|声音大|费电](吗|不|么)
> (what's|what is) the [battery life|power|capacity] of the {item}(?|)
> (does|do) the {item} (work with|support|connect to) [bluetooth|WiFi|iPhone|Android](?|)
> (is|are) the {item} [waterproof|noisy|power-hungry](?|)

@ product_info.food food goods aligned
: {item}(保质期|最佳赏味期)(多久|是多久|到什么时候|有多长)
: {item}(是|)(哪里|哪儿|什么地方)(产的|的|来的|发货)
: {item}[甜|新鲜|好吃](吗|不)
> (what's|what is) the (best-before date|shelf life) of the {item}(?|)
> where (do|are|is) the {item} (come from|from)(?|)
> (is|are) the {item} [sweet|fresh|tasty](?|)

@ authenticity.real goods -food aligned
: {item}(是|)(正品|真的|真货|原装)(吗|不|么|还是仿的)
: (你们|你家)(卖的|的东西|)(是|)(正品|真货)(吗|吧|还是假货)
: (怎么|如何|在哪)(验|辨别|验证|鉴定)(真假|真伪|是不是正品)
: (怀疑|感觉|觉得)(收到的|买的|)({item}|东西)(是|)(假的|假货|仿的|高仿)
> (is|are) the {item} (genuine|authentic|real|original|fake)(?|)
> (are|is) (your products|this|these|everything you sell) (genuine|authentic|real|original)(?|)
> how (do|can) I (check|tell|verify) (if|that|whether) it's (genuine|authentic|real|original)(?|)
> I think the {item} (I got|you sent) (is|are) (fake|a fake|counterfeit)

@ how_to_use.item tech aligned
: {item}(怎么|如何|咋)(用|使用|安装|弄|操作)(|啊|呢)
: {item}(有|)(说明书|使用教程|安装视频|教程)(吗|么|发我一份)
: (不会|不知道|搞不懂)(怎么|)(用|使用|装|安装)({item}|这{cl}{item})(，|)(教教我|有教程吗|)
> how (do|can) I (use|set up|assemble|install) (the|my|this) {item}(?|)
> (do you have|is there) (a manual|instructions|a video|a guide) for the {item}(?|)
> I (don't know|can't figure out|have no idea) how to (use|set up|install) the {item}

@ how_to_use.assemble assembled aligned
: {item}(怎么|如何|咋)(装|安装|组装)(|啊|呢)
: {item}(有|)(安装图|安装视频|说明书)(吗|么|发我一份)
: (螺丝|配件)(对不上|不够|多出来了)(，|){item}(装不起来|没法装)
> how (do|can) I (assemble|put together|install) (the|my|this) {item}(?|)
> (do you have|is there) (assembly instructions|a manual|an assembly video) for the {item}(?|)
> the (screws|parts) don't (fit|match), I can't (assemble|put together) the {item}

@ how_to_use.skin beauty
: {item}(怎么|如何|咋)(用|使用)(|啊|呢|才对)
: {item}(一天|每天)(用几次|几次合适)
> how (do|should) I use (the|this) {item}(?|)
> how (often|many times a day) (do|should) I use the {item}(?|)

@ how_to_use.feature tech aligned
: (这个|那个|你们的)(功能|按钮|软件|系统|app|小程序)(怎么|如何|咋)(用|使用|打开|设置)
: (有|有没有)(使用教程|操作手册|新手教程|帮助文档)(吗|)
: {item}(怎么|如何)[连接|设置|重启](啊|呢|)
> how (do|does) (this|that|the) (feature|app|button|software) work(?|)
> (is there|do you have|where is) (a tutorial|a manual|a user guide|documentation)(?|)
> how (do|can) I [connect|set up|restart] (the|my) {item}(?|)

@ how_to_use.care goods -food aligned
: {item}(怎么|如何)(保养|清洁|清洗|存放|打理)
: {item}(可以|能)[用水洗|用酒精擦|机洗](吗|不)
> how (do|should) I (clean|store|care for|look after|maintain) (the|my) {item}(?|)
> (can|may) I clean the {item} [with water|with alcohol|in the machine](?|)

@ recommendation.which goods aligned
: (推荐|给我推荐|帮我推荐|求推荐)(一款|一{cl}|几款|个)(好用的|性价比高的|适合我的|){item}
: (哪款|哪个|哪种|什么样的){item}(好|比较好|适合我|性价比高|最好)
: (送|买给)[女朋友|妈妈|爸爸|老师|小孩|客户](，|)(选|买|推荐)(哪款|什么样的){item}(好|)
: (预算|)({amount})(左右|以内|)(，|)(推荐|有什么|买|能买到)(什么|哪款|好点的|){item}
> (can|could) you (recommend|suggest) (a good|a|some) {item}(?| for me?|)
> which {item} (is best|do you recommend|would suit me|is the most popular)(?|)
> which {item} (is|are) a good (gift|present) for [my girlfriend|my mum|my dad|a teacher|a child|a client](?|)
> (what|which) {item} (can I get|do you recommend) for (about |around |under |){amount}(?|)

@ recommendation.any shop
: (有什么|有啥|有没有)(推荐|好推荐|热销的|卖得好的|新品)(吗|的|)
: (不知道|纠结)(选|买)(哪个|什么)(好|)，(帮我选|你推荐一下|给点建议)
> (what do you recommend|what would you recommend|what sells best|anything popular|any recommendations)(?|)
> I (can't decide|don't know what to buy|don't know which one to choose), (any suggestions|help me choose|what do you suggest)(?|)
"""
