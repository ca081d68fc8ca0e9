use axum::Router;
use axum::routing::{MethodRouter, get, post};

use super::{
    act, assets, attention, bulks, dead_letters, flow, instance, instances, login, many, overview,
    owed, questions, saga, sagas,
};
use crate::api::Service;

/// Every page with its path.
pub(super) fn routed() -> Vec<(&'static str, MethodRouter<Service>)> {
    vec![
        ("/", get(overview::show)),
        ("/attention", get(attention::show)),
        ("/instances", get(instances::list)),
        ("/instances/{saga}/{key}", get(instance::show)),
        ("/instances/{saga}/{key}/acts", post(act::act)),
        ("/instances/acts", get(many::choose_instances).post(many::act_on_instances)),
        ("/acts", get(bulks::list)),
        ("/acts/{id}", get(bulks::show)),
        ("/acts/{id}/stop", post(bulks::stop)),
        ("/questions", get(questions::show)),
        ("/owed", get(owed::show)),
        ("/sagas", get(sagas::list)),
        ("/sagas/{saga}", get(saga::show)),
        ("/dead-letters", get(dead_letters::list)),
        ("/dead-letters/{partition}/{offset}", get(dead_letters::show)),
        ("/dead-letters/acts", get(many::choose_letters).post(many::act_on_letters)),
        ("/flow", get(flow::show)),
        ("/login", get(login::show).post(login::begin)),
        ("/logout", post(login::end)),
        ("/assets/{file}", get(assets::file)),
    ]
}

/// The pages, to be put behind the guard.
pub(super) fn routes() -> Router<Service> {
    let begin = Router::new();
    routed().into_iter().fold(begin, |router, (path, page)| router.route(path, page))
}
