from django.urls import path

from warandpeace.signing_in import passkeys, views

app_name = "signing_in"

urlpatterns = [
    path("", views.mine, name="mine"),
    path("second/", views.second_step, name="second-step"),
    path("authenticator/", views.authenticator, name="authenticator"),
    path("recovery-codes/", views.recovery_codes, name="recovery-codes"),
    path("remove/", views.remove_factor, name="remove"),
    path("sessions/end/", views.end_sessions, name="end-sessions"),
    path("passkey/begin/", passkeys.BeginSignIn.as_view(), name="passkey-begin"),
    path("passkey/complete/", passkeys.CompleteSignIn.as_view(), name="passkey-complete"),
    path("passkey/add/begin/", passkeys.BeginAdding.as_view(), name="passkey-add-begin"),
    path("passkey/add/complete/", passkeys.CompleteAdding.as_view(), name="passkey-add-complete"),
]
