products_ui <- function(id, t) {
  ns <- NS(id)
  panels(
    conditionalPanel("output['products-chosen']", class = "wide panels", product_ui(ns, t)),
    panel_ui(ns("top"), t, "products.top", 300, table = FALSE) |> wide(),
    panel_ui(ns("categories"), t, "products.categories", 300), panel_ui(ns("brands"), t, "products.brands", 300)
  )
}

product_rows <- 25

products_server <- function(id, context) {
  moduleServer(id, function(input, output, session) {
    state <- context$state
    range <- function() state()[c("from", "to", "tz", "category", "brand", "q")]
    top <- context$read("products_top", function() {
      c(range(), state()[c("sort", "order")], (state()$page - 1) * product_rows, product_rows)
    })
    panel_server("top", context, top, product_columns(context), plot_products(context), product_table(context))
    group <- function(name, kind) {
      rows <- context$read("products_groups", function() c(range(), kind))
      panel_server(name, context, rows, group_columns(context, kind), plot_groups(context, kind, paste0("products.", name)))
    }
    group("categories", "category")
    group("brands", "brand")
    output$chosen <- reactive(nzchar(state()$product))
    outputOptions(output, "chosen", suspendWhenHidden = FALSE)
    product_server(context, output)
  })
}

product_columns <- function(context) {
  number <- function(x) format_number(x, context$lang)
  money <- function(x) format_vnd(x, context$lang)
  list(
    column("name", "product", kind = "product"), column("product_id", "product.id"), column("category", "category", kind = "category"),
    column("brand", "brand", kind = "brand"), column("price", "price", money, TRUE),
    column("discount_price", "price.discount", money, TRUE), column("views", "views", number, TRUE),
    column("carts", "carts", number, TRUE), column("checkout_starts", "step.4", number, TRUE),
    column("checkouts", "checkouts", number, TRUE),
    column("conversion", "conversion.cart", function(x) format_share(x, context$lang), TRUE)
  )
}

plot_products <- function(context) function(rows) {
  t <- context$t
  sort <- context$state()$sort
  if (sort == "name") sort <- "views"
  shown <- utils::head(rows, 10)
  column <- Filter(function(column) column$name == sort, product_columns(context))[[1]]
  names <- ifelse(is.na(shown$name), shown$product_id, shown$name)
  texts <- column$write(shown[[sort]])
  plot_bars(
    names, ifelse(is.na(shown[[sort]]), 0, shown[[sort]]), texts, t("products.top.alt", name = names[1], value = texts[1]),
    pick_of("product", shown$product_id)
  )
}

product_table <- function(context) function(rows) {
  t <- context$t
  state <- context$state()
  columns <- product_columns(context)
  sortable <- setdiff(allowed$sort, "name")
  rows$name <- ifelse(is.na(rows$name), rows$product_id, rows$name)
  tagList(
    if (state$sort == "conversion") hint(t("products.rate.note")),
    table_of(rows, columns, t, sort = state[c("sort", "order")], sortable = c("name", sortable), pick_by = list(name = rows$product_id)),
    pager(state$page, ceiling(rows$products[1] / product_rows), rows$products[1], "products.place", context)
  )
}

group_columns <- function(context, kind) {
  number <- function(x) format_number(x, context$lang)
  list(
    column("value", kind, function(x) ifelse(is.na(x), context$t("none"), x), kind = kind),
    column("views", "views", number, TRUE), column("carts", "carts", number, TRUE)
  )
}

plot_groups <- function(context, kind, title) function(rows) {
  t <- context$t
  names <- ifelse(is.na(rows$value), t("none"), rows$value)
  texts <- format_short(rows$views, context$lang)
  picked <- lapply(rows$value, function(value) if (!is.na(value)) list(kind = kind, value = value))
  plot_bars(names, rows$views, texts, t("groups.alt", title = t(title), name = names[1], value = texts[1]), picked)
}

# One product's own page, above the table it was picked from.

product_ui <- function(ns, t) {
  tagList(
    tags$div(class = "wide", htmlOutput(ns("product_head"))),
    panel_ui(ns("product_days"), t, "product.days", 260), panel_ui(ns("product_funnel"), t, "product.funnel", 200),
    panel_ui(ns("product_prices"), t, "product.prices", 220) |> wide()
  )
}

product_server <- function(context, output) {
  t <- context$t
  number <- function(x) format_number(x, context$lang)
  chosen <- function() context$state()[["product"]]
  about <- context$read("product", function() c(chosen(), context$state()["tz"]))
  days <- context$read("product_days", function() c(context$state()[c("from", "to", "tz")], chosen()))
  output$product_head <- renderUI({
    req(context$ready(), nzchar(chosen()))
    rows <- tryCatch(about(), warehouse_down = function(down) req(FALSE))
    tags$div(
      class = "product-head",
      tags$button(type = "button", class = "btn btn-sm btn-outline-secondary", `data-pick` = picks("product", ""), t("product.close")),
      tags$h2(if (nrow(rows) == 0 || is.na(rows$name)) chosen() else rows$name),
      if (nrow(rows) > 0) hint(paste(stats::na.omit(c(
        rows$category, rows$brand, format_vnd(rows$price, context$lang),
        if (!is.na(rows$discount_price)) t("product.discount", price = format_vnd(rows$discount_price, context$lang)),
        t("product.seen", time = format_local_time(rows$seen, context$lang))
      )), collapse = " \u00b7 "))
    )
  })
  counts <- c("views", "carts", "checkout_starts", "checkouts")
  headings <- c("views", "carts", "step.4", "checkouts")
  columns <- c(
    list(column("day", "day", function(x) format_day(x, context$lang))),
    lapply(seq_along(counts), function(i) column(counts[i], headings[i], number, TRUE))
  )
  none <- function(rows) all(unlist(rows[counts]) == 0)
  panel_server("product_days", context, days, columns, function(rows) {
    day <- format_day(rows$day, context$lang)
    series <- lapply(c(1, 2, 4), function(i) list(
      name = t(headings[i]), data = data_of(rows[[counts[i]]], paste0(day, " \u00b7 ", t(headings[i]), ": ", number(rows[[counts[i]]])))
    ))
    plot_lines(format_day(rows$day, context$lang, FALSE), series, t("product.days.alt", n = number(sum(rows$views))))
  }, nothing = none)
  panel_server("product_funnel", context, days, columns, function(rows) {
    totals <- vapply(counts, function(name) sum(rows[[name]]), 0, USE.NAMES = FALSE)
    texts <- paste0(number(totals), if (totals[1] > 0) paste0(" \u00b7 ", format_share(totals / totals[1], context$lang)))
    plot_bars(vapply(headings, t, "", USE.NAMES = FALSE), totals, texts, t("product.funnel.alt", n = texts[4]))
  }, function(rows) hint(t("product.funnel.note")), none)
  prices_server(context, days)
}

prices_server <- function(context, days) {
  t <- context$t
  money <- function(x) format_vnd(x, context$lang)
  ends <- c(lowest = "lowest_price", highest = "highest_price")
  columns <- c(
    list(column("day", "day", function(x) format_day(x, context$lang))),
    lapply(names(ends), function(end) column(ends[[end]], paste0("product.price.", end), money, TRUE))
  )
  panel_server("product_prices", context, days, columns, function(rows) {
    series <- lapply(names(ends), function(end) {
      name <- t(paste0("product.price.", end))
      values <- rows[[ends[[end]]]]
      list(name = name, step = "end", data = data_of(values, paste0(format_day(rows$day, context$lang), " \u00b7 ", name, ": ", money(values))))
    })
    seen <- unlist(rows[ends])
    plot_lines(
      format_day(rows$day, context$lang, FALSE), series,
      t("product.prices.alt", low = money(min(seen, na.rm = TRUE)), high = money(max(seen, na.rm = TRUE)))
    )
  }, function(rows) hint(t("product.prices.note")), function(rows) all(is.na(rows$lowest_price)))
}
