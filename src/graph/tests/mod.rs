use super::*;
use crate::definition::parse;

const ORDER: &str = include_str!("../../../sagas/order-fulfilment/saga.yaml");


#[test]
fn scratch() {
    let Ok(path) = std::env::var("SCRATCH") else { return };
    let folder = std::path::Path::new(&path);
    let definition = parse("saga.yaml", ORDER).expect("a definition");
    for direction in [Direction::Down, Direction::Right] {
        for lanes in [false, true] {
            let options = Options { format: Format::Svg, lanes, direction };
            let name = format!("{}-{direction:?}-{lanes}.svg", definition.saga);
            std::fs::write(folder.join(name), draw(&definition, &[], &options)).expect("written");
        }
    }
}
