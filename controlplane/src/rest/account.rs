//! The account on the wire.

use super::RestError;
use super::call::Call;
use super::reply::Reply;
use crate::app::App;

pub(super) async fn get(app: &App) -> Result<Reply, RestError> {
    Ok(Reply::json(200, &app.get_account().await?))
}

pub(super) async fn update(app: &App, call: &Call<'_>) -> Result<Reply, RestError> {
    Ok(Reply::json(call.status(), &app.update_account(&call.patch()?).await?))
}
