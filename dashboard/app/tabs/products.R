products_ui <- function(id, t) {
  ns <- NS(id)
  tags$div(
    class = "panels",
    panel_ui(ns("top"), t, "products.top", "wide"),
    panel_ui(ns("categories"), t, "products.categories"),
    panel_ui(ns("brands"), t, "products.brands")
  )
}

products_server <- function(id, context) {
  moduleServer(id, function(input, output, session) {
    range <- function() context$state()[c("from", "to", "tz", "category", "brand", "q")]
    top <- context$read("products_top", function() c(range(), context$state()$sort))
    panel_server("top", context, top, draw_products(context), product_columns(context))
    group <- function(name, dimension, title) {
      rows <- context$read("products_groups", function() c(range(), dimension))
      panel_server(name, context, rows, draw_groups(context, dimension, title), group_columns(context, dimension))
    }
    group("categories", "category", "products.categories")
    group("brands", "brand", "products.brands")
  })
}

product_columns <- function(context) {
  number <- function(x) format_number(x, context$lang)
  money <- function(x) format_vnd(x, context$lang)
  list(
    column("name", "product"), column("product_id", "product.id"), column("category", "category"), column(
      "brand", "brand"
    ),
    column("price", "price", money, TRUE), column("discount_price", "price.discount", money, TRUE),
    column("views", "views", number, TRUE), column("carts", "carts", number, TRUE),
    column("checkout_starts", "step.4", number, TRUE), column("checkouts", "checkouts", number, TRUE),
    column("conversion", "conversion.cart", function(x) format_share(x, context$lang), TRUE)
  )
}

draw_products <- function(context) function(rows) {
  t <- context$t
  by_rate <- context$state()$sort == "conversion"
  shown <- utils::head(rows, 10)
  values <- if (by_rate) shown$conversion else shown$views
  texts <- if (by_rate) format_share(values, context$lang) else format_short(values, context$lang)
  names <- ifelse(is.na(shown$name), shown$product_id, shown$name)
  tagList(
    chart_bars(
      names, ifelse(is.na(values), 0, values), texts, t("products.top.alt", name = names[1], value = texts[1])
    ),
    tags$p(class = "hint", t(if (by_rate) "products.rate.note" else "products.views.note")),
    table_of(rows, product_columns(context), t, t("products.top"))
  )
}

group_columns <- function(context, dimension) {
  number <- function(x) format_number(x, context$lang)
  list(
    column("value", dimension, function(x) ifelse(is.na(x), context$t("none"), x)),
    column("views", "views", number, TRUE), column("carts", "carts", number, TRUE)
  )
}

draw_groups <- function(context, dimension, title) function(rows) {
  t <- context$t
  names <- ifelse(is.na(rows$value), t("none"), rows$value)
  texts <- format_short(rows$views, context$lang)
  tagList(
    chart_bars(names, rows$views, texts, t("groups.alt", title = t(title), name = names[1], value = texts[1])),
    table_behind(table_of(rows, group_columns(context, dimension), t, t(title)), t)
  )
}
