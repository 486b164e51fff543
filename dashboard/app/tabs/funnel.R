funnel_counts <- c("views", "product_views", "carts", "checkout_starts", "checkouts")

funnel_ui <- function(id, t) {
  ns <- NS(id)
  panels(panel_ui(ns("steps"), t, "funnel.steps", 200) |> wide(), panel_ui(ns("split"), t, "funnel.split", 300) |> wide())
}

funnel_server <- function(id, context) {
  moduleServer(id, function(input, output, session) {
    range <- function() context$state()[c("from", "to", "tz", "login")]
    steps <- context$read("funnel_steps", function() c(range(), dimension_of(context$state())))
    panel_server(
      "steps", context, steps, funnel_columns(context), plot_funnel(context), funnel_words(context),
      function(rows) rows$sessions == 0
    )
    split <- context$read("funnel_by", function() c(range(), context$state()$by))
    panel_server(
      "split", context, split, c(list(split_value(context)), funnel_columns(context)), plot_split(context),
      function(rows) hint(context$t("funnel.split.note"))
    )
  })
}

funnel_columns <- function(context) {
  number <- function(x) format_number(x, context$lang)
  headings <- paste0("step.", 1:5)
  c(
    list(column("sessions", "total.sessions", number, TRUE)),
    lapply(1:5, function(i) column(funnel_counts[i], headings[i], number, TRUE))
  )
}

#' A bar a step, with its share of the first and what was lost since the one before.
plot_steps <- function(names, counts, context, alt) {
  lang <- context$lang
  share <- function(part, whole) ifelse(rep_len(whole, length(part)) > 0, part / whole, NA)
  before <- utils::head(counts, -1)
  lost <- share(before - counts[-1], before)
  texts <- paste0(
    format_number(counts, lang), " \u00b7 ", format_share(share(counts, counts[1]), lang),
    c("", paste0("  \u25bc ", format_share(lost, lang)))
  )
  plot_bars(names, counts, texts, alt)
}

plot_funnel <- function(context) function(rows) {
  t <- context$t
  counts <- unname(unlist(rows[1, funnel_counts]))
  last <- if (counts[1] > 0) counts[5] / counts[1] else NA
  plot_steps(
    vapply(paste0("step.", 1:5), t, "", USE.NAMES = FALSE), counts, context,
    t("funnel.alt", n = format_number(counts[1], context$lang), share = format_share(last, context$lang))
  )
}

funnel_words <- function(context) function(rows) {
  both <- nzchar(context$state()$category) && nzchar(context$state()$brand)
  tagList(
    hint(context$t("funnel.note", n = format_number(rows$sessions, context$lang))), if (both) hint(context$t("funnel.both"))
  )
}

split_value <- function(context) column("value", "value", function(x) split_names(context, x))

split_names <- function(context, values) {
  if (context$state()$by == "login") return(data_labels(context$t, "login", values))
  ifelse(is.na(values), context$t("none"), values)
}

plot_split <- function(context) function(rows) {
  t <- context$t
  by <- context$state()$by
  rates <- ifelse(rows$sessions > 0, rows$checkouts / rows$sessions, NA)
  names <- split_names(context, rows$value)
  texts <- format_share(rates, context$lang)
  picked <- lapply(rows$value, function(value) if (!is.na(value)) list(kind = by, value = value))
  alt <- t("groups.alt", title = t("funnel.split"), name = names[1], value = texts[1])
  plot_bars(names, ifelse(is.na(rates), 0, rates), texts, alt, picked, "share")
}
