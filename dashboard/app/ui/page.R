# The page in one language; the language switch asks for the same address in the other.

page_theme <- bslib::bs_theme(version = 5) # once, for it takes as long as the rest of the page

page_ui <- function(state, choices, t) {
  tab <- function(name, content) bslib::nav(t(paste0("tab.", name)), value = name, content)
  bslib::page(
    title = t("title"), lang = state$lang, theme = page_theme,
    tags$head(
      tags$link(rel = "icon", type = "image/svg+xml", href = "assets/icon.svg"),
      tags$link(rel = "stylesheet", href = "assets/app.css"), tags$script(src = "assets/app.js"),
      tags$meta(name = "color-scheme", content = "light dark")
    ),
    page_head(state, t),
    tags$main(
      filter_bar(state, choices, t),
      htmlOutput("range", class = "range"),
      htmlOutput("banner", `aria-live` = "polite"),
      tags$div(
        class = "tabs",
        bslib::navs_pill(
          id = "tab", selected = state$tab,
          tab("overview", overview_ui("overview", t)), tab("products", products_ui("products", t)),
          tab("funnel", funnel_ui("funnel", t)), tab("activity", activity_ui("activity", t)),
          tab("quality", quality_ui("quality", t)), tab("raw", raw_ui("raw", t))
        )
      )
    ),
    tags$div(
      class = "lost", role = "alert", hidden = NA, tags$p(t("lost")), tags$a(href = "", class = "reload", t("reload"))
    )
  )
}

page_head <- function(state, t) {
  language <- function(lang) {
    tags$button(
      type = "button", class = "btn language", lang = lang, `data-lang` = lang,
      `aria-pressed` = if (lang == state$lang) "true" else "false", t(paste0("language.", lang))
    )
  }
  tags$header(
    class = "page-head",
    tags$h1(t("title")),
    tags$div(class = "switches", role = "group", `aria-label` = t("language"), lapply(languages, language)),
    tags$button(type = "button", class = "btn theme", `aria-pressed` = "false", t("dark"))
  )
}
