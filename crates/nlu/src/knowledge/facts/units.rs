//! Units of measure and of money: what they measure, and how many of the smallest they are.

/// What a unit measures. Amounts of different kinds are never the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Mass,
    Length,
    Volume,
    Time,
    /// An amount of this currency.
    Money(&'static str),
    Data,
    Share,
    /// 8折: what remains to be paid, in tenths.
    Tenths,
    Age,
    Heat,
    Power,
    Charge,
    /// So many of something.
    Count(&'static str),
    /// A size of clothes or shoes.
    Size,
    /// Minutes since midnight.
    Clock,
    Year,
    /// Month times a hundred and the day.
    Date,
    /// The day of a month.
    Day,
}

/// One way to write a unit.
pub(super) struct Unit {
    pub kind: Kind,
    pub factor: f64,
}

type Row = (&'static [&'static str], Kind, f64);

/// Longest first where one begins another. Words stand alone, Chinese ones follow the number at once.
const UNITS: &[Row] = &[
    (&["kg", "kgs", "kilo", "kilos", "kilogram", "kilograms", "公斤", "千克"], Kind::Mass, 1000.0),
    (&["mg", "毫克"], Kind::Mass, 0.001),
    (&["g", "gram", "grams", "克"], Kind::Mass, 1.0),
    (&["斤"], Kind::Mass, 500.0),
    (&["lb", "lbs", "pound", "pounds", "磅"], Kind::Mass, 453.592),
    (&["oz", "ounce", "ounces", "盎司"], Kind::Mass, 28.35),
    (&["t", "ton", "tons", "tonne", "tonnes", "吨"], Kind::Mass, 1e6),
    (&["mm", "毫米"], Kind::Length, 1.0),
    (&["cm", "centimetre", "centimeter", "centimetres", "centimeters", "厘米", "公分"], Kind::Length, 10.0),
    (&["km", "kms", "kilometre", "kilometer", "kilometres", "kilometers", "公里", "千米"], Kind::Length, 1e6),
    (&["m", "metre", "meter", "metres", "meters", "米"], Kind::Length, 1000.0),
    (&["inch", "inches", "in", "\"", "英寸", "寸"], Kind::Length, 25.4),
    (&["ft", "foot", "feet", "英尺"], Kind::Length, 304.8),
    (&["mile", "miles", "英里"], Kind::Length, 1_609_344.0),
    (&["ml", "millilitre", "milliliter", "millilitres", "milliliters", "毫升"], Kind::Volume, 1.0),
    (&["l", "litre", "liter", "litres", "liters", "升"], Kind::Volume, 1000.0),
    (&["gallon", "gallons", "加仑"], Kind::Volume, 3785.0),
    (&["second", "seconds", "sec", "secs", "秒", "秒钟"], Kind::Time, 1.0),
    (&["minute", "minutes", "min", "mins", "分钟"], Kind::Time, 60.0),
    (&["hour", "hours", "hr", "hrs", "h", "小时", "个小时", "钟头", "个钟头", "个钟"], Kind::Time, 3600.0),
    (&["day", "days", "天", "日", "个工作日", "工作日", "个自然日", "自然日"], Kind::Time, 86_400.0),
    (&["week", "weeks", "周", "星期", "个星期", "礼拜", "个礼拜"], Kind::Time, 604_800.0),
    (&["month", "months", "个月", "月"], Kind::Time, 2_592_000.0),
    (&["quarter", "quarters", "季度", "个季度"], Kind::Time, 7_776_000.0),
    (&["year", "years", "yr", "yrs", "年"], Kind::Time, 31_536_000.0),
    (&["元", "块", "块钱", "元钱", "人民币", "rmb", "cny", "yuan", "¥", "圆"], Kind::Money("CNY"), 1.0),
    (&["万元", "万块"], Kind::Money("CNY"), 10_000.0),
    (&["usd", "dollar", "dollars", "bucks", "$", "美元", "美金"], Kind::Money("USD"), 1.0),
    (&["eur", "euro", "euros", "€", "欧元", "欧"], Kind::Money("EUR"), 1.0),
    (&["gbp", "quid", "£", "英镑"], Kind::Money("GBP"), 1.0),
    (&["hkd", "港币", "港元"], Kind::Money("HKD"), 1.0),
    (&["jpy", "yen", "日元", "日币"], Kind::Money("JPY"), 1.0),
    (&["krw", "韩元"], Kind::Money("KRW"), 1.0),
    (&["cad", "加元", "加币"], Kind::Money("CAD"), 1.0),
    (&["aud", "澳元", "澳币"], Kind::Money("AUD"), 1.0),
    (&["mb", "m流量"], Kind::Data, 1.0),
    (&["gb", "gigs", "gig", "gigabytes"], Kind::Data, 1024.0),
    (&["tb", "terabyte", "terabytes"], Kind::Data, 1_048_576.0),
    (&["mbps", "兆"], Kind::Count("mbps"), 1.0),
    (&["gbps", "千兆"], Kind::Count("mbps"), 1000.0),
    (&["%", "percent", "per cent", "个点", "个百分点"], Kind::Share, 1.0),
    (&["折"], Kind::Tenths, 1.0),
    (&["成"], Kind::Share, 10.0),
    (&["岁", "周岁", "years old", "year old", "year-old", "yo"], Kind::Age, 1.0),
    (&["°c", "℃", "度", "摄氏度", "degrees", "degree"], Kind::Heat, 1.0),
    (&["w", "watt", "watts", "瓦"], Kind::Power, 1.0),
    (&["kw", "千瓦"], Kind::Power, 1000.0),
    (&["mah", "毫安", "毫安时"], Kind::Charge, 1.0),
    (&["wh", "瓦时"], Kind::Charge, 0.01),
    (&["码", "号码"], Kind::Size, 1.0),
    (&["号"], Kind::Day, 1.0),
    (
        &[
            "个人",
            "人",
            "位",
            "名",
            "people",
            "persons",
            "person",
            "guests",
            "guest",
            "passengers",
            "users",
            "user",
            "adults",
            "seats",
        ],
        Kind::Count("people"),
        1.0,
    ),
    (&["次", "回", "趟", "times", "time"], Kind::Count("times"), 1.0),
    (&["期", "installments", "instalments", "installment", "instalment", "payments"], Kind::Count("installments"), 1.0),
    (&["张", "cards", "tickets", "coupons", "vouchers", "photos"], Kind::Count("sheets"), 1.0),
    (
        &[
            "件",
            "个",
            "只",
            "台",
            "部",
            "套",
            "条",
            "支",
            "瓶",
            "盒",
            "包",
            "袋",
            "双",
            "份",
            "款",
            "箱",
            "items",
            "item",
            "pieces",
            "piece",
            "pcs",
            "bags",
            "bag",
            "units",
            "devices",
            "device",
            "boxes",
            "bottles",
            "pairs",
            "suitcases",
            "pets",
            "dogs",
            "cats",
        ],
        Kind::Count("pieces"),
        1.0,
    ),
    (&["倍"], Kind::Count("fold"), 1.0),
    (&["层", "楼", "floor", "floors"], Kind::Count("floor"), 1.0),
    (&["级", "星级", "星", "stars", "star", "level"], Kind::Count("grade"), 1.0),
    (&["分", "points", "积分"], Kind::Count("points"), 1.0),
    (&["字", "characters", "words", "pages", "页"], Kind::Count("text"), 1.0),
    (&["节", "课时", "lessons", "classes", "sessions"], Kind::Count("lessons"), 1.0),
    (&["寸照", "inch photo"], Kind::Count("photo"), 1.0),
    (&["晚", "夜", "nights", "night"], Kind::Count("nights"), 1.0),
];

/// The longest unit at the start of `rest`, and its length in bytes.
pub(super) fn at(rest: &str) -> Option<(Unit, usize)> {
    let mut best: Option<(&Row, usize)> = None;
    for row in UNITS {
        for name in row.0 {
            let ends = || {
                let after = rest[name.len()..].chars().next();
                let latin = name.ends_with(|c: char| c.is_ascii_alphabetic());
                !(latin && after.is_some_and(|c| c.is_ascii_alphanumeric()))
            };
            if best.is_none_or(|(_, length)| name.len() > length) && rest.starts_with(name) && ends() {
                best = Some((row, name.len()));
            }
        }
    }
    best.map(|((_, kind, factor), length)| (Unit { kind: *kind, factor: *factor }, length))
}

/// A currency sign before a number.
pub(super) fn before(text: &str) -> Option<Unit> {
    let text = text.trim_end();
    let signs = [("¥", "CNY"), ("$", "USD"), ("€", "EUR"), ("£", "GBP"), ("rmb", "CNY"), ("usd", "USD")];
    let sign = signs.into_iter().find(|(sign, _)| text.ends_with(sign));
    sign.map(|(_, code)| Unit { kind: Kind::Money(code), factor: 1.0 })
}
