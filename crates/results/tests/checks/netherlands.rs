//! Two Dutch count files, reduced to their numbers.

use results::checks::{check_set, check_sums, check_tally};

use crate::support::{World, lines, tallies};

/// Test file of the Dutch committee's control protocol for Steenwijkerland (EP2024), made to trip its rules: the list
/// totals and counts of the municipality and its four stations. People who may vote are 90,000 in each part of the file.
const STEENWIJKERLAND: &str = "
    1708 ep 1=20000 2=27000 3=4950 4=300 eligible=90000 valid=52250 invalid=7 blank=1 polling-cards=52640 proxies=20 voter-cards=15 admitted=52675 excess=0 shortfall=417
    1708::SB1 ep 1=20000 2=27000 3=4950 4=300 valid=52250 invalid=7 blank=1 polling-cards=52640 proxies=20 voter-cards=15 admitted=52675 excess=0 shortfall=417
    1708::SB2 ep 1=0 2=0 3=0 4=0 valid=0 invalid=0 blank=0 polling-cards=0 proxies=0 voter-cards=0 admitted=0 excess=0 shortfall=0
    1708::SB3 ep 1=25 2=25 3=25 4=25 valid=100 invalid=4 blank=4 polling-cards=0 proxies=0 voter-cards=0 admitted=0 excess=0 shortfall=0
    1708::SB4 ep 1=10 2=0 3=0 4=0 valid=10 invalid=0 blank=0 polling-cards=0 proxies=0 voter-cards=0 admitted=12 excess=0 shortfall=0";

fn steenwijkerland() -> World {
    World::read(
        "unit 1708 municipality
         unit 1708::SB1 polling-station 1708
         unit 1708::SB2 polling-station 1708
         unit 1708::SB3 polling-station 1708
         unit 1708::SB4 polling-station 1708
         contest ep 1708 1 1 2 3 4",
    )
}

#[test]
fn the_stated_total_of_steenwijkerland_is_not_the_sum_of_its_stations() {
    let world = steenwijkerland();
    let all = tallies(STEENWIJKERLAND);
    insta::assert_snapshot!(lines(&check_sums(&world.facts(), &all[..1], &all[1..])), @r"
    sum-differs hard 1708 admitted: Unit 1708 states 52675 for admitted, while the units below it add to 52687 (4 units).
    sum-differs hard 1708 blank: Unit 1708 states 1 for blank, while the units below it add to 5 (4 units).
    sum-differs hard 1708 invalid: Unit 1708 states 7 for invalid, while the units below it add to 11 (4 units).
    sum-differs hard 1708 list 1: Unit 1708 states 20000 for list 1, while the units below it add to 20035 (4 units).
    sum-differs hard 1708 list 2: Unit 1708 states 27000 for list 2, while the units below it add to 27025 (4 units).
    sum-differs hard 1708 list 3: Unit 1708 states 4950 for list 3, while the units below it add to 4975 (4 units).
    sum-differs hard 1708 list 4: Unit 1708 states 300 for list 4, while the units below it add to 325 (4 units).
    sum-differs hard 1708 valid: Unit 1708 states 52250 for valid, while the units below it add to 52360 (4 units).
    ");
}

/// H is not in the file; the Dutch readers derive it as E + F + G.
#[test]
fn the_stations_of_steenwijkerland_trip_their_rules() {
    let world = steenwijkerland();
    let mut said = String::new();
    for mut tally in tallies(STEENWIJKERLAND) {
        let of = |count| tally.count(&count).expect("stated").0;
        use results::Count::{Blank, Cast, Invalid, Valid};
        let cast = results::Votes(of(Valid) + of(Blank) + of(Invalid));
        tally.counts.insert(Cast, cast);
        said += &lines(&check_tally(&world.facts(), &tally));
    }
    said += &lines(&check_set(&world.facts(), &tallies(STEENWIJKERLAND)));
    insta::assert_snapshot!(said, @r"
    W.203 triage 1708::SB1 cast: 52675 voters were admitted (D) and 52258 ballots cast (H): they differ by 417, 15 or 2 % or more.
    W.204 triage 1708::SB2 cast: The ballots cast (H) are stated as 0.
    F.306 hard 1708::SB3 excess: 0 voters were admitted (D) and 108 ballots cast (H), 108 more, while 0 more are stated (I).
    W.201 triage 1708::SB3 blank: 4 of 108 ballots are blank (F), 3 % or more.
    W.202 triage 1708::SB3 invalid: 4 of 108 ballots are invalid (G), 3 % or more.
    W.203 triage 1708::SB3 cast: 0 voters were admitted (D) and 108 ballots cast (H): they differ by 108, 15 or 2 % or more.
    F.201 hard 1708::SB4 admitted: Polling cards, proxies and voter cards (A 0, B 0, C 0) add to 0, while 12 voters were admitted (D).
    F.308 hard 1708::SB4 shortfall: 12 voters were admitted (D) and 10 ballots cast (H), 2 fewer, while 0 fewer are stated (J).
    W.203 triage 1708::SB4 cast: 12 voters were admitted (D) and 10 ballots cast (H): they differ by 2, 15 or 2 % or more.
    party-share triage 1708::SB4 list 1: List 1 has 10 of 10 votes of unit 1708::SB4, and 20025 of 52350 in the other units below the same: the shares are 50 percentage points or more apart.
    party-share triage 1708::SB4 list 2: List 2 has 0 of 10 votes of unit 1708::SB4, and 27025 of 52350 in the other units below the same: the shares are 50 percentage points or more apart.
    ");
}
