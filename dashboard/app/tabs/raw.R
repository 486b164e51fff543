raw_ui <- function(id, t) panels(panel_ui(NS(id)("events"), t, "raw.events", table = FALSE) |> wide())

raw_server <- function(id, context) {
  moduleServer(id, function(input, output, session) {
    chosen <- function() context$state()[c("from", "to", "tz", "login", "event")]
    total <- context$read("raw_count", chosen)
    pages <- reactive(max(1, ceiling(total()$events / page_rows)))
    shown <- reactive(min(context$state()$page, pages()))
    events <- context$read("raw_events", function() c(chosen(), (shown() - 1) * page_rows, page_rows))
    panel_server("events", context, events, raw_columns(context), words = function(rows) tagList(
      pager(shown(), pages(), total()$events, "raw.place", context), table_of(rows, raw_columns(context), context$t)
    ))
  })
}

raw_columns <- function(context) {
  t <- context$t
  money <- function(x) format_vnd(x, context$lang)
  yes_no <- function(x) ifelse(is.na(x), NA, ifelse(x, t("yes"), t("no")))
  list(
    column("event_timestamp", "raw.time", function(x) format_local_time(x, context$lang, seconds = TRUE)),
    column("event_name", "event", function(x) data_labels(t, "event", x)),
    column("user_login_state", "login", function(x) data_labels(t, "login", x)),
    column("context_product_name", "product"), column("context_product_category", "category"), column(
      "context_product_brand", "brand"
    ),
    column("context_product_price", "price", money, TRUE), column(
      "context_product_discount_price", "price.discount", money, TRUE
    ),
    column("user_id", "raw.user"), column("client_id", "raw.client"), column("session_id", "raw.session"),
    column("is_first_visit", "raw.first_visit", yes_no), column("identity_source", "raw.identity"),
    column("context_product_id", "product.id"), column("context_product_url_path", "raw.path"), column(
      "event_id", "raw.event_id"
    )
  )
}
