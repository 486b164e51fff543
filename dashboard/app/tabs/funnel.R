funnel_counts <- c("views", "product_views", "carts", "checkout_starts", "checkouts")

funnel_ui <- function(id, t) {
  ns <- NS(id)
  tags$div(
    class = "panels", panel_ui(ns("steps"), t, "funnel.steps", "wide"),
    panel_ui(ns("split"), t, "funnel.split", "wide")
  )
}

funnel_server <- function(id, context) {
  moduleServer(id, function(input, output, session) {
    range <- function() context$state()[c("from", "to", "tz", "login")]
    steps <- context$read("funnel_steps", function() c(range(), funnel_dimension(context$state())))
    panel_server(
      "steps", context, steps, draw_funnel(context), funnel_columns(context), function(rows) rows$sessions == 0
    )
    split <- context$read("funnel_by", function() c(range(), context$state()$by))
    panel_server("split", context, split, draw_split(context), c(list(split_value(context)), funnel_columns(context)))
  })
}

#' The rollup knows one dimension at a time: the category counts where both are chosen, and the page says so.
funnel_dimension <- function(state) {
  if (nzchar(state$category)) return(list("category", state$category))
  if (nzchar(state$brand)) return(list("brand", state$brand))
  list("all", "")
}

funnel_columns <- function(context) {
  number <- function(x) format_number(x, context$lang)
  headings <- paste0("step.", 1:5)
  c(
    list(column("sessions", "total.sessions", number, TRUE)),
    lapply(1:5, function(i) column(funnel_counts[i], headings[i], number, TRUE))
  )
}

draw_funnel <- function(context) function(rows) {
  t <- context$t
  lang <- context$lang
  counts <- unlist(rows[1, funnel_counts])
  names <- vapply(paste0("step.", 1:5), t, "")
  share <- function(part, whole) if (whole > 0) part / whole else NA
  of_first <- vapply(counts, share, 0, whole = counts[1])
  lost <- c(NA, vapply(2:5, function(i) share(counts[i - 1] - counts[i], counts[i - 1]), 0))
  texts <- paste0(format_number(counts, lang), " \u00b7 ", format_share(of_first, lang))
  losses <- vapply(lost, function(x) t("funnel.loss", share = format_share(x, lang)), "")
  both <- nzchar(context$state()$category) && nzchar(context$state()$brand)
  tagList(
    chart_funnel(
      names, counts, texts, losses,
      t("funnel.alt", n = format_number(counts[1], lang), share = format_share(of_first[5], lang))
    ),
    tags$p(class = "hint", t("funnel.note", n = format_number(rows$sessions, lang))),
    if (both) tags$p(class = "hint", t("funnel.both")),
    table_behind(table_of(rows, funnel_columns(context), t, t("funnel.steps")), t)
  )
}

split_value <- function(context) column("value", "value", function(x) split_names(context, x))

split_names <- function(context, values) {
  if (context$state()$by == "login") return(data_labels(context$t, "login", values))
  ifelse(is.na(values), context$t("none"), values)
}

draw_split <- function(context) function(rows) {
  t <- context$t
  rates <- ifelse(rows$sessions > 0, rows$checkouts / rows$sessions, NA)
  names <- split_names(context, rows$value)
  texts <- format_share(rates, context$lang)
  tagList(
    tags$p(class = "hint", t("funnel.split.note")),
    chart_bars(
      names, ifelse(is.na(rates), 0, rates), texts,
      t("groups.alt", title = t("funnel.split"), name = names[1], value = texts[1])
    ),
    table_of(rows, c(list(split_value(context)), funnel_columns(context)), t, t("funnel.split"))
  )
}
