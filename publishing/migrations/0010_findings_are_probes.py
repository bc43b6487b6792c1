from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("publishing", "0009_findings_become_probes")]

    operations = [migrations.RemoveField(model_name="attempt", name="findings")]
