//! What contradicts what, and that strangers' texts are read whatever is in them.

use proptest::prelude::*;

use super::*;

fn against(entry: &str, asked: &str) -> Option<(String, String)> {
    let found = compare(&read(asked), &[read(entry)], &Reading::default()).conflicts.into_iter().next()?;
    Some((found.entry, found.asked))
}

#[test]
fn two_questions_contradict_each_other_in_what_they_ask_for() {
    for (entry, asked, said, other) in [
        ("5公斤以内运费多少", "50kg运费多少", "5公斤", "50kg"),
        ("What is the fee for 5 lb?", "what's the fee for five kilos", "5 lb", "five kilos"),
        ("满200元包邮吗", "满两百美元包邮吗", "200元", "两百美元"),
        ("X20手机保修多久", "X 21 保修多久", "X20", "X 21"),
        ("iPhone 15怎么买", "iPhone15 Pro怎么买", "iPhone 15", "iPhone15 Pro"),
        ("寄到新疆的运费", "寄到西藏的运费", "新疆", "西藏"),
        ("Is the shop open on Saturdays?", "are you open sundays", "Saturdays", "sundays"),
        ("包邮吗", "不包邮吗", "包邮", "不包邮"),
        ("Do I need the receipt?", "what if I don't have the receipt", "receipt", "not receipt"),
        ("10月1日开门吗", "10月2号开门吗", "10月1日", "10月2号"),
        ("发货前怎么改地址", "发货后怎么改地址", "前", "后"),
    ] {
        assert_eq!(against(entry, asked), Some((said.to_owned(), other.to_owned())), "{entry} / {asked}");
    }
}

#[test]
fn the_same_in_other_words_contradicts_nothing() {
    for (entry, asked) in [
        ("5公斤以内运费多少", "不到五公斤邮费多少钱"),
        ("签收后7天内可以退货吗", "seven days 内能退吗"),
        ("签收后7天内可以退货吗", "一周以内可不可以退"),
        ("满200元包邮吗", "满200包邮不"),
        ("20000毫安充电宝能带上飞机吗", "登机的时候20000mAh移动电源让带不"),
        ("Does version 4 run on Windows Server 2019?", "does v4 run ok on win server 2019"),
        ("身高170厘米穿什么码", "我一米七，买哪个号合适"),
        ("双十一活动几点开始", "11.11那波优惠啥时候开抢"),
        ("信用卡年费怎么免", "怎么刷才不收年费，信用卡那个"),
    ] {
        assert_eq!(against(entry, asked), None, "{entry} / {asked}");
    }
}

#[test]
fn the_other_end_of_a_range_and_an_exception_contradict() {
    for (entry, asked) in [
        ("5公斤以内运费多少", "5公斤以上运费多少"),
        ("最多可以买几件", "最少要买几件"),
        ("What is the fee for parcels up to 10 lb?", "what is the fee for parcels over 10 lb"),
        ("What is the minimum order?", "what's the maximum order"),
        ("3-5天能到吗", "5-7天能到吗"),
        ("Is it open every day except Sunday?", "is it open on sundays"),
        ("除了周日都开门吗", "周日开门吗"),
    ] {
        assert!(against(entry, asked).is_some(), "{entry} / {asked}");
    }
}

proptest! {
    /// Cuts lie between characters, whatever is written.
    #[test]
    fn any_text_is_read(text in "(\\PC|[0-9.,:-]|[一二三十百千万半点月日米多]|kg|pm| no |不|iPhone|version |’t|size |ﷺ|İ|e\u{301}){0,30}") {
        let one = read(&text);
        let two = read("5公斤 iPhone 15 不包邮 10月1日 9:30");
        let _ = compare(&one, std::slice::from_ref(&two), &one);
        let _ = compare(&two, &[one.clone(), two.clone()], &two);
        for x in [one.covered(&two), one.frame(&two), two.unknown(&one, &one), one.covered(&one)] {
            prop_assert!((0.0..=1.001).contains(&x), "{x}");
        }
    }
}
